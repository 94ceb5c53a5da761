"""Files that would be two things at once: on a host, or on the machine that runs the orchestrator."""

from collections.abc import Iterator
from os.path import normpath
from pathlib import Path

from orchestrator.plan.faults import Fault, Loc
from orchestrator.plan.locations import location
from orchestrator.plan.sound import Sound
from orchestrator.text import shown


def check_names(sound: Sound) -> Iterator[Fault]:
    """Yield names of hosts whose certificate or key would lie where the CA lies, in ``tls.directory``."""
    for host in sound.etcd_hosts:
        name = sound.text(*host, "name")
        if name == "ca":  # NAME.pem and NAME-key.pem beside ca.pem: no other name meets it
            yield sound.fault(
                (*host, "name"),
                f"{shown(name)} is taken: on the host, the certificate would be written over the CA's, "
                f"{name}.pem; write another name",
            )


def check_secrets(sound: Sound, folder: Path) -> Iterator[Fault]:
    """Yield keys whose file is a certificate's too: certificates can be read by everybody on a host.

    Hosts may share a certificate, and its key.
    """
    public = {
        path: what for _, path, what in _files(sound, folder, ("certificate",), ("ca", "client_certificate"))
    }
    seen: set[tuple[Loc, Path]] = set()
    for loc, path, what in _files(sound, folder, ("key",), ("client_key",)):
        if path in public and (loc, path) not in seen:
            seen.add((loc, path))
            yield sound.fault(
                loc,
                f"{shown(str(path), limit=4096)} would be {what} and {public[path]}, which everybody "
                "on a host may read: write different files",
            )


def _files(
    sound: Sound, folder: Path, each: tuple[str, ...], shared: tuple[str, ...]
) -> Iterator[tuple[Loc, Path, str]]:
    """Yield the files of these fields: where each is named, where it lies, and what it is."""
    for field in shared:
        if (text := sound.text("tls", field)) is not None:
            yield ("tls", field), _place(folder, text), f"tls.{field}"
    for host in sound.etcd_hosts:
        name = sound.text(*host, "name")
        for field in each:
            loc = sound.host_loc(host, field)
            if name is not None and (text := sound.text(*loc)) is not None:
                place = _place(folder, text.replace("{name}", name))
                yield loc, place, f"the {field} of {shown(name, quote='')}"


def _place(folder: Path, text: str) -> Path:
    return Path(normpath(location(folder, text)))
