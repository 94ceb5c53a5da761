"""One host as it was found: how its etcd is started there, made a plain value of what was asked; pure."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from orchestrator.etcd.facts.layout import Around
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.install import secret_values, unit
from orchestrator.etcd.install.command import PREFIXES
from orchestrator.etcd.install.unit import Unit
from orchestrator.plan.facts import TEXT_LIMIT, Target
from orchestrator.plan.layout import Account, Folder, HostLayout, Placed

# What a unit's sandbox needs to be there, and what it starts.
_PLACES = (
    *(
        "WorkingDirectory",
        "ReadWritePaths",
        "ReadOnlyPaths",
        "InaccessiblePaths",
        "BindPaths",
        "BindReadOnlyPaths",
    ),
    *("ReadWriteDirectories", "ReadOnlyDirectories", "InaccessibleDirectories"),
)
_COMMANDS = (
    "ExecCondition",
    "ExecStartPre",
    "ExecStart",
    "ExecStartPost",
    "ExecReload",
    "ExecStop",
    "ExecStopPost",
)
_PATH = re.compile(r"(?<![\w=:./$%{}-])/[\w./+@-]+")
_URL = re.compile(r"\b[a-z]+://[^\s,;\"']+")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a host first: what runs, and what its next start would read."""

    target: Target
    running: Process
    unit: Unit

    @property
    def texts(self) -> Mapping[str, str]:
        """The texts that say how etcd is started, by their paths."""
        source = self.target.found.source
        configuration = source.configuration if source else None
        return {
            self.unit.properties["FragmentPath"]: self.unit.fragment,
            **self.unit.drop_ins,
            **self.unit.files,
            **({configuration.path: configuration.text} if configuration else {}),
        }

    @property
    def commands(self) -> frozenset[str]:
        """Whole paths in what the unit starts."""
        found = (value.lstrip(PREFIXES) for value in self._values(_COMMANDS))
        return frozenset(path for value in found for path in _PATH.findall(value))

    @property
    def places(self) -> frozenset[str]:
        """Whole paths that the unit's sandbox names."""
        words = (word.lstrip("-+") for value in self._values(_PLACES) for word in value.split())
        return frozenset(
            path for word in words for path in word.split(":")[:1] if path.startswith("/") and path != "/"
        )

    @property
    def data(self) -> frozenset[str]:
        """Where etcd keeps its files, as far as a whole path says so, with the directories above."""
        given = (self.running.settings.get(name, "") for name in ("ETCD_DATA_DIR", "ETCD_WAL_DIR"))
        places = [PurePosixPath(path) for path in given if path.startswith("/")]
        return frozenset(str(path) for place in places for path in (place, *place.parents)) - {"/"}

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path that has to be looked at, a directory before what is in it."""
        return tuple(sorted({*self.texts, *self.commands, *self.places, *self.data}))

    @property
    def hostnames(self) -> frozenset[str]:
        """Every name and address in its URLs, registered ones too; but for loopback."""
        facts = self.target.facts.members.get(self.target.name)
        urls = (url for value in self.running.settings.values() for url in _URL.findall(value))
        found = (urlsplit(url).hostname for url in (*urls, *(facts.peer_urls if facts else ())))
        return frozenset({self.target.host.address, *filter(None, found)} - _LOOPBACK)

    def _values(self, keys: Iterable[str]) -> Iterable[str]:
        texts = (self.unit.fragment, *self.unit.drop_ins.values())
        return (value for text in texts for key in keys for value in unit.values(text, key))


@dataclass(frozen=True, slots=True)
class Found:
    """A host, and what was left out of it, a sentence each."""

    layout: HostLayout
    left_out: tuple[str, ...]


def small_files(read: Read, around: Around) -> tuple[str, ...]:
    """Return files that the unit starts, and that may be scripts: no etcd, and not large."""
    programs = {program.path for program in around.programs}
    real = (around.links.get(path, path) for path in sorted(read.commands))
    return tuple(
        dict.fromkeys(
            path
            for path in real
            if path in around.files and path not in programs and around.files[path].size_bytes <= TEXT_LIMIT
        )
    )


def layout(read: Read, around: Around, scripts: Mapping[str, str], addresses: tuple[str, ...]) -> Found:
    """Make a host's layout; ``scripts`` are the texts of those that the unit starts.

    ValueError for a file that is too large to be read whole.
    """
    left_out: list[str] = []
    files = []
    for path, text in {**read.texts, **scripts}.items():
        lying = around.files.get(around.links.get(path, path))
        if lying is None or lying.size_bytes > TEXT_LIMIT:
            raise ValueError(f"{path} is gone, or larger than {TEXT_LIMIT} bytes")
        plain, secrets = secret_values.without(text)
        files.append(Placed(path, plain, lying.mode, lying.owner, lying.group))
        if secrets:
            left_out.append(f"{path}: {', '.join(secrets)}; the lab has {secret_values.INSTEAD!r} there")
    programs = {program.path for program in around.programs}
    known = {*programs, *scripts, *read.texts}
    others = [path for path in sorted(read.commands) if around.links.get(path, path) not in known]
    in_effect, account = read.running.settings, Account(read.target.found.user, read.target.found.group)
    name = in_effect.get("ETCD_NAME", "default")
    data = posixpath.join(around.cwd, in_effect.get("ETCD_DATA_DIR", f"{name}.etcd"))
    wal = in_effect.get("ETCD_WAL_DIR", "")
    wal = posixpath.join(around.cwd, wal) if wal else ""
    seen = {folder.path for folder in around.folders}
    own = (Folder(path, 0o700, account.user, account.group) for path in (data, wal) if path)
    layout = HostLayout(
        unit=around.unit,
        aliases=tuple(alias for alias in around.names if alias != around.unit),
        fragment=around.fragment,
        files=tuple(files),
        folders=(*around.folders, *(folder for folder in own if folder.path not in seen)),
        programs=around.programs,
        links={path: real for path, real in around.links.items() if real in programs},
        needs=tuple(path for path in others if around.links.get(path, path) in around.files),
        account=account,
        addresses=addresses,
        etcd=around.etcd,
        data=data,
        wal=wal,
    )
    return Found(layout, (*left_out, *_left_out(read, around)))


def _left_out(read: Read, around: Around) -> Iterable[str]:
    if read.target.found.trust not in {"debian", None}:
        yield f"its trust store is that of {read.target.found.trust}, and the lab's hosts have Debian's"
    if read.unit.manager:
        yield f"variables of systemd's manager: {', '.join(sorted(read.unit.manager))}"
    named = {name: value for name, value in read.running.settings.items() if name.endswith("_FILE")}
    for name, value in named.items():
        if name != "ETCD_CONFIG_FILE":
            yield f"{value} ({name})"
    if around.etcd not in {program.path for program in around.programs}:
        yield f"{around.etcd}, which runs and is not there any more"
