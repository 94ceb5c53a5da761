"""Fake hosts whose etcd has its settings from files, flags or a configuration file, as a unit says."""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from engine.world import FakeHost, World

from orchestrator.etcd import effective
from orchestrator.etcd.facts import process
from orchestrator.etcd.install import command, unit, variables
from orchestrator.host.questions import Answer, Question
from orchestrator.plan.model import Cluster, Member

Settings = Mapping[str, str]
FRAGMENT = "/lib/systemd/system/etcd.service"
Laid = tuple[str, dict[str, str]]  # the text of the unit, and files beside it


@dataclass
class SourcedHost(FakeHost):
    """``read`` is what systemd has read, ``started`` what etcd was started with: command, variables, file."""

    unit: str = ""
    read: tuple[tuple[str, ...], dict[str, str]] = ((), {})
    started: tuple[tuple[str, ...], dict[str, str], str] = field(default=((), {}, ""))

    def reload(self) -> None:
        drop_ins = {path: text for path, (text, *_) in sorted(self.files.items()) if path.endswith(".conf")}
        texts = (self.unit, *drop_ins.values())
        read = unit.Unit({}, drop_ins, {}, fragment=self.unit)
        given: dict[str, str] = {}
        for text in texts:
            for value in unit.values(text, "Environment"):
                given |= variables.of_show(value.replace("%%", "%"))
        for text in texts:
            for path in unit.values(text, "EnvironmentFile"):
                given |= variables.of_file(self.files[path][0])
        (line,) = read.commands
        self.read = (command.expanded(line, given) or (), given)
        self.loaded = dict(self._effective(*self.read))

    def restart(self) -> None:
        super().restart()
        words, given = self.read
        self.started = (words, given, self._named(words, given))
        both = set(effective.flags(words)) & set(given)
        assert self.started[2] or not both, f"fatal from 3.4 on: {both}"

    def _named(self, words: tuple[str, ...], given: Settings) -> str:
        return effective.flags(words).get(effective.CONFIG_FILE) or given.get(effective.CONFIG_FILE, "")

    def _effective(self, words: tuple[str, ...], given: Settings) -> Settings:
        path = self._named(words, given)
        return effective.settings(words, given, self.files[path][0] if path else None)


class SourcedWorld(World):
    """A world in which each member's settings are laid out by a function."""

    def __init__(self, cluster: Cluster, layout: Callable[[Settings], Laid]) -> None:
        self._layout = layout
        super().__init__(cluster)

    def _host(self, number: int, member: Member) -> FakeHost:
        plain = super()._host(number, member)
        text, beside = self._layout(plain.base)
        lying = {path: (content, 0o644, "root", "root") for path, content in beside.items()}
        host = SourcedHost(plain.name, plain.address, plain.id, {}, files=lying, unit=text)
        host.reload()
        host.restart()
        host.restarts = 0
        return host

    def _answer(self, question: Question) -> Answer:
        host = self.place(question.host)
        if isinstance(host, SourcedHost) and getattr(question, "script", "") == unit.SCRIPT:
            return Answer(0, "\n".join([f"FragmentPath={FRAGMENT}", *_unit_lines(host)]))
        answer = super()._answer(question)
        if isinstance(host, SourcedHost) and getattr(question, "script", "") == process.SCRIPT:
            return self._of_process(host, answer)
        return answer

    def _of_process(self, host: SourcedHost, answer: Answer) -> Answer:
        words, given, path = host.started
        lines = [line for line in answer.stdout.splitlines() if not line.startswith(("environ=", "cmdline="))]
        environ = "\0".join(f"{name}={value}" for name, value in given.items())
        lines += [f"environ={_encoded(environ)}", f"cmdline={_encoded(chr(0).join(words))}"]
        if path:
            path = (
                path if path in host.files else path.replace(".40-tls", "").replace(".50-closed", "")
            )  # as etcd/effective.py has it
            text = host.files[path][0]
            lines += [f"configuration={path}", f"configured={_encoded(text)}"]
            lines += [f"configured_as=644 root root {len(text)}"]
        return Answer(answer.exit_status, "\n".join(lines))


def _unit_lines(host: SourcedHost) -> Iterable[str]:
    drop_ins = {path: text for path, (text, *_) in sorted(host.files.items()) if path.endswith(".conf")}
    yield f"fragment={_encoded(host.unit)} {FRAGMENT}"
    yield from (f"drop_in={_encoded(text)} {path}" for path, text in drop_ins.items())
    for text in (host.unit, *drop_ins.values()):
        for path in unit.values(text, "EnvironmentFile"):
            yield f"file={_encoded(host.files[path][0])} {path}"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def in_a_drop_in(given: Settings) -> Laid:
    """As cloud-config does."""
    lines = "".join(f'Environment="{name}={value}"\n' for name, value in given.items())
    return "[Service]\nExecStart=/usr/bin/etcd\n", {
        "/etc/systemd/system/etcd2.service.d/20-cloudinit.conf": f"[Service]\n{lines}"
    }


def in_a_file(given: Settings) -> Laid:
    """As Debian and kubespray do."""
    text = "".join(f"{name}='{value}'\n" for name, value in given.items())
    path = "/etc/default/etcd"
    return f"[Service]\nEnvironmentFile={path}\nExecStart=/usr/bin/etcd\n", {path: text}


def in_flags(given: Settings) -> Laid:
    """As tutorials do, but for one that is a variable."""
    words = [f"--{effective.flag(name)}={value}" for name, value in given.items() if "PEER" not in name]
    lines = "".join(f'Environment="{name}={value}"\n' for name, value in given.items() if "PEER" in name)
    return f"[Service]\n{lines}ExecStart=/usr/bin/etcd {' '.join(words)}\n", {}


def in_flags_of_a_drop_in(given: Settings) -> Laid:
    """The same in a drop-in, over several lines."""
    words = [f"--{effective.flag(name)}={value}" for name, value in given.items()]
    command = " \\\n  ".join(("/usr/bin/etcd", *words))
    path = "/etc/systemd/system/etcd2.service.d/15-theirs.conf"
    return "[Service]\nExecStart=/usr/bin/etcd\n", {
        path: f"[Service]\n# by hand\nExecStart=\nExecStart={command}\n"
    }


def in_a_configuration(given: Settings) -> Laid:
    """As a file that a flag names."""
    text = "".join(f"{effective.flag(name)}: {value}\n" for name, value in given.items())
    return "[Service]\nExecStart=/usr/bin/etcd --config-file /etc/etcd.yml\n", {
        "/etc/etcd.yml": f"# mine\n{text}"
    }
