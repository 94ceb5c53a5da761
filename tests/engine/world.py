"""A world of fake hosts with a model of etcd: it runs operations, answers questions, and can crash."""

import base64
import hashlib
import json
import shlex
from collections.abc import Callable, Iterable
from copy import copy, deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from orchestrator.errors import HostUnreachableError
from orchestrator.etcd import actions, files, settings, trial, watching
from orchestrator.etcd.api import v3
from orchestrator.etcd.facts import (
    ca_store,
    connections,
    listeners,
    own_files,
    process,
    proxies,
    starts,
    talkers,
)
from orchestrator.etcd.facts.host import HOST
from orchestrator.etcd.facts.members import LISTINGS, VERSION
from orchestrator.etcd.install import unit
from orchestrator.host.operations import (
    EditFile,
    Job,
    JobResult,
    MakeDirectory,
    Operation,
    Remove,
    RemoveDirectory,
    Run,
    Write,
)
from orchestrator.host.questions import Answer, Answers, Download, HttpProbe, Question, Script
from orchestrator.plan.model import Cluster, Member, Patience, Ports, Proxy, Ssh, Tls
from orchestrator.remote import host_locks
from orchestrator.remote.job_archive import FENCED

Lying = tuple[str, int, str, str]


@cache
def _schemes(urls: str) -> frozenset[tuple[int, str]]:
    """Read etcd's comma-separated list: (port, scheme), of which a port may have two."""
    parts = [urlsplit(url) for url in urls.split(",")]
    return frozenset((url.port or 0, url.scheme) for url in parts)


@dataclass
class FakeHost:
    """One host: its files, what systemd has read of them, and what its etcd was started with."""

    name: str
    address: str
    id: int
    base: dict[str, str]
    files: dict[str, Lying] = field(default_factory=dict)
    directories: set[str] = field(default_factory=lambda: {"/etc"})
    loaded: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    is_running: bool = True
    restarts: int = 0
    is_watching: bool = False
    results: dict[str, JobResult] = field(default_factory=dict)
    begun: list[str] = field(default_factory=list)  # names of the jobs, which outlast a reboot
    trusted: set[str] = field(default_factory=set)
    lock: str = ""  # what the lock's file holds
    copied: bool = False  # whether the unit lies there under the trial's name too
    trial: dict[str, str] = field(default_factory=dict)  # settings of the trial, while it runs
    program: str = "etcd"  # what the unit's main process is
    is_refused_by_peers: bool = False  # its certificate has no clientAuth usage, say
    start_takes_looks: int = 0
    service: str = "etcd2"
    never_starts: bool = False  # its next start fails, whatever its settings are
    starting_looks: int = 0

    def update_trust(self) -> None:
        """Do what update-ca-certificates does with the files in its directory."""
        store = "/usr/local/share/ca-certificates/"
        self.trusted = {
            "".join(text.splitlines()[1:-1])
            for path, (text, *_) in self.files.items()
            if path.startswith(store)
        }

    def reload(self) -> None:
        """Do what systemctl daemon-reload does with the drop-ins."""
        self.loaded = self._settings(f"/etc/systemd/system/{self.service}.service.d/")

    def _settings(self, drop_ins: str) -> dict[str, str]:
        found = dict(self.base)
        for path in sorted(path for path in self.files if path.startswith(drop_ins)):
            for line in self.files[path][0].splitlines():
                if line.startswith("Environment="):
                    name, value = shlex.split(line.removeprefix("Environment="))[0].split("=", 1)
                    found[name] = value
        return found

    def copy_unit(self) -> None:
        """Have the unit lie there under the trial's name too, with our drop-ins."""
        ours = {path: lying for path, lying in self.files.items() if path.startswith(f"{trial.OURS}/")}
        self.files |= {path.replace(trial.OURS, trial.DROP_INS): lying for path, lying in ours.items()}
        self.copied = True

    def try_out(self) -> None:
        """Start the unit under the trial's name, with what lies there; without its files it dies."""
        assert self.copied
        reported = {"ETCD_NAME": self.name} | self._settings(f"{trial.DROP_INS}/")
        reported |= dict(
            shlex.split(line)[0].split("=", 1) for line in self._lines(f"{trial.DIRECTORY}/environment")
        )
        named = [value for name, value in reported.items() if name.endswith("_FILE")]
        self.trial = reported if all(path in self.files for path in named) else {}

    def _lines(self, path: str) -> list[str]:
        return self.files[path][0].splitlines()

    def end_trial(self) -> None:
        """Leave nothing of it, as when it is ended, and as a reboot leaves it."""
        self.copied, self.trial = False, {}
        self.files = {path: lying for path, lying in self.files.items() if not path.startswith("/run/")}
        self.directories = {path for path in self.directories if not path.startswith("/run/")}

    def restart(self) -> None:
        """Start etcd with what systemd has read; without its certificate files it dies."""
        self.restarts += 1
        self.starting_looks = self.start_takes_looks
        self.environment = dict(self.loaded)
        named = [value for name, value in self.loaded.items() if name.endswith("_FILE")]
        one_source = not ("ETCD_DISCOVERY" in self.loaded and "ETCD_INITIAL_CLUSTER" in self.loaded)
        both_reported = bool({"ETCD_ADVERTISE_CLIENT_URLS", "ETCD_PROXY"} & set(self.loaded)) or (
            "ETCD_LISTEN_CLIENT_URLS" not in self.loaded
        )
        is_startable = one_source and both_reported and not self.never_starts
        self.is_running = all(path in self.files for path in named) and is_startable

    def schemes(self, setting: str) -> frozenset[tuple[int, str]]:
        """What listens where: (port, scheme)."""
        return _schemes(self.environment.get(setting) or settings.DEFAULTS[setting])


class World:
    """Three hosts, a registry and a leader. ``moment`` is called before and after everything that changes."""

    def __init__(self, cluster: Cluster, moment: Callable[[str], None] = lambda _: None) -> None:
        self.cluster = cluster
        self.moment = moment
        self.initial = ",".join(f"{m.name}=http://{m.address}:2380" for m in cluster.members)
        self.hosts = {
            member.name: self._host(number, member) for number, member in enumerate(cluster.members, 1)
        }
        self.registry = {
            host.id: {"peers": [f"http://{host.address}:2380"], "clients": [f"http://{host.address}:2379"]}
            for host in self.hosts.values()
        }
        self.proxies = {proxy.name: self._proxy(proxy) for proxy in cluster.proxies}
        self.clients = {host.name: FakeHost(host.name, host.address, 0, {}) for host in cluster.clients.hosts}
        self.leader = cluster.members[min(1, len(cluster.members) - 1)].name
        self.version = "3.4.23"  # of every member
        self.speaking_http: set[str] = set()  # addresses of clients
        self.on_local: set[str] = set()  # units of every host that use the local port
        self.performed: list[Job] = []
        self.connections_last = False  # those that were made once; else all are cut and dialled again
        self.is_expired = False  # certificates: nobody completes a TLS handshake any more
        self.away_looks = 0  # so often the first host cannot be asked
        self.cut_off: set[str] = set()  # members that reach only a follower, until they are started anew

    def copied(self, moment: Callable[[str], None]) -> Self:
        """Another world that is as this one is now."""
        other = copy(self)
        other.moment = moment
        other.hosts, other.proxies, other.clients, other.registry = deepcopy(
            (self.hosts, self.proxies, self.clients, self.registry)
        )
        other.performed, other.cut_off = list(self.performed), set(self.cut_off)
        return other

    def _host(self, number: int, member: Member) -> FakeHost:
        base = {
            "ETCD_NAME": member.name,
            "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379",
            "ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:2380",
            "ETCD_ADVERTISE_CLIENT_URLS": f"http://{member.address}:2379",
            "ETCD_INITIAL_ADVERTISE_PEER_URLS": f"http://{member.address}:2380",
            "ETCD_INITIAL_CLUSTER": self.initial,
        }
        host = FakeHost(member.name, member.address, 0xA0 + number, base, service=member.service or "")
        host.reload()
        host.environment = dict(host.loaded)
        return host

    def _proxy(self, proxy: Proxy) -> FakeHost:
        base = {"ETCD_PROXY": "on", "ETCD_LISTEN_CLIENT_URLS": "http://0.0.0.0:2379"}
        host = FakeHost(proxy.name, proxy.address, 0, base)
        host.reload()
        host.environment = dict(host.loaded)
        return host

    def place(self, name: str) -> FakeHost:
        """A member's, a proxy's or a client's host."""
        return self.everyone[name]

    @property
    def everyone(self) -> dict[str, FakeHost]:
        """Every host, whatever its role."""
        return {**self.hosts, **self.proxies, **self.clients}

    def snapshot(self) -> object:
        """Everything that a migration is about, for comparing worlds."""
        return {
            "hosts": {
                name: (
                    *(host.files, host.directories, host.trusted),
                    *(host.loaded, host.environment, host.is_running, host.trial, host.is_watching),
                )
                for name, host in self.everyone.items()
            },
            "registry": self.registry,
        }

    def can_dial(self, one: FakeHost, other: FakeHost) -> bool:
        """Whether a fresh connection from one member to another's registered peer URLs would work."""
        listening = other.schemes("ETCD_LISTEN_PEER_URLS")
        return any(
            (port, scheme) in listening
            and (scheme == "http" or ("ETCD_PEER_CERT_FILE" in one.environment and not self.is_expired))
            for url in self.registry[other.id]["peers"]
            for port, scheme in _schemes(url)
        )

    def reaches_quorum(self, host: FakeHost) -> bool:
        """Whether a member would have a quorum if every peer connection were cut now and dialled again."""
        others = [other for other in self.hosts.values() if other is not host and other.is_running]
        if host.name in self.cut_off:
            return False
        if self.connections_last:
            return host.is_running and len(others) + 1 > len(self.hosts) // 2
        linked = [other for other in others if self.can_dial(host, other) or self.can_dial(other, host)]
        return host.is_running and len(linked) + 1 > len(self.hosts) // 2

    # What the engine asks of hosts

    def look(self, questions: Iterable[Question]) -> Answers:
        """Answer as real hosts would."""
        if self.away_looks:
            self.away_looks -= 1
            raise HostUnreachableError(next(iter(self.hosts)), "timed out")
        return {question: self._answer(question) for question in questions}

    def _answer(self, question: Question) -> Answer:
        host = self.place(question.host)
        if isinstance(question, HttpProbe):
            return self._probe(host, question)
        answers = {
            process.SCRIPT: self._process,
            v3.ASK: self._etcdctl,
            files.SCRIPT: self._files,
            files.TEXTS: self._texts,
            unit.SCRIPT: lambda *_: Answer(0, ""),
            own_files.SCRIPT: self._own_files,
            HOST: self._host_facts,
            VERSION: lambda *_: Answer(0, f'{{"etcdserver":"{self.version}"}}\n404\n'),
            listeners.HANDSHAKE: self._handshake,
            ca_store.SCRIPT: self._trust,
            LISTINGS["v3"]: self._verify,
            proxies.SCRIPT: self._stored,
            trial.LOOK: self._trial,
            trial.LEFT: self._left,
            talkers.LOOK: self._talkers,
            connections.SCRIPT: lambda *_: Answer(0, ""),
            starts.SCRIPT: lambda *_: Answer(0, "Type=simple\n"),
        }
        assert not isinstance(question, Download)
        return answers[question.script](host, question)

    def _trial(self, host: FakeHost, _: Script) -> Answer:
        if not host.trial:
            return Answer(0, "LoadState=loaded\nActiveState=failed\nResult=exit-code\nMainPID=0\n")
        others = [other for other in self.hosts.values() if other is not host and other.trial]
        is_ready = len(others) + 1 > len(self.hosts) // 2
        lines = ["LoadState=loaded", f"ActiveState={'active' if is_ready else 'activating'}", "MainPID=7"]
        lines += [f'metric=etcd_server_id{{server_id="{host.id:x}"}} 1']
        lines += [f"dialled={other.id:x}" for other in others if not host.is_refused_by_peers]
        reach = not host.is_refused_by_peers and not self.is_expired
        peers = ((f'Local="{host.id:x}",Remote="{other.id:x}"', int(reach)) for other in others)
        lines += [f"metric=etcd_network_active_peers{{{labels}}} {value}" for labels, value in peers]
        return Answer(0, "\n".join(lines))

    def _talkers(self, host: FakeHost, _: Script) -> Answer:
        if not host.is_watching:
            return Answer(0, "state inactive\nnow 9000")
        rows = [f"row {each} 2379 http 1 8999 1 9 1 - -" for each in sorted(self.speaking_http)]
        rows += [f"row 127.0.0.1 4001 http 1 8999 1 9 1 {each} client" for each in sorted(self.on_local)]
        return Answer(
            0, "\n".join(("state active", "means perl", "since 1", "ticked 9000", *rows, "now 9000"))
        )

    def _left(self, host: FakeHost, _: Script) -> Answer:
        left = [path for path in host.files if path.startswith("/run/")]
        return Answer(0, "\n".join([*left, *(["orchestrator-trial.service"] if host.trial else [])]))

    def _process(self, host: FakeHost, _: Script) -> Answer:
        if host.starting_looks:
            host.starting_looks -= 1
            return Answer(0, "LoadState=loaded\nActiveState=activating\nSubState=start\nMainPID=0\n")
        state = "ActiveState=active\nSubState=running" if host.is_running else "ActiveState=failed"
        strings = "\0".join(f"{name}={value}" for name, value in host.environment.items())
        environ = base64.b64encode(strings.encode()).decode()
        cmdline = base64.b64encode(b"/usr/bin/etcd\0").decode()
        pid = 100 + host.restarts if host.is_running else 0
        lines = f"LoadState=loaded\n{state}\nMainPID={pid}\nUser=etcd\nenviron={environ}\ncmdline={cmdline}\n"
        return Answer(0, lines)

    def _texts(self, host: FakeHost, check: Script) -> Answer:
        lines = [
            f"{base64.b64encode(host.files[path][0].encode()).decode()} {path}"
            for path in check.arguments[1:]
            if path in host.files and host.files[path][1] & 0o004
        ]
        return Answer(0, "\n".join(lines))

    def _etcdctl(self, host: FakeHost, check: Script) -> Answer:
        material, words = check.arguments[1:4], check.arguments[4:]
        if not host.is_running:
            return Answer(1, "", "connection refused")
        if "http" not in {scheme for _, scheme in host.schemes("ETCD_LISTEN_CLIENT_URLS")} and not set(
            material
        ) <= set(host.files):
            return Answer(3, "", "etcd2.service has no http listener: https://0.0.0.0:2379")
        if words[:2] == ("endpoint", "health"):
            is_well = self.reaches_quorum(host)
            return Answer(0, "healthy") if is_well else Answer(1, "", "context deadline exceeded")
        if words[:2] == ("endpoint", "status"):
            header = {"cluster_id": 0xC1, "member_id": host.id}
            leader = self.hosts[self.leader].id if self.reaches_quorum(host) else 0
            reported = {"header": header, "version": self.version, "leader": leader, "raftIndex": 9}
            return Answer(0, json.dumps([{"Endpoint": "x", "Status": reported}]))
        if words[:2] == ("member", "list"):
            members = [
                {
                    "ID": other.id,
                    "name": other.name,
                    "peerURLs": self.registry[other.id]["peers"],
                    "clientURLs": self.registry[other.id]["clients"],
                }
                for other in self.hosts.values()
            ]
            return Answer(0, json.dumps({"members": members}))
        assert words == ("alarm", "list")
        return Answer(0, "") if self.reaches_quorum(host) else Answer(1, "", "etcdserver: request timed out")

    def _trust(self, host: FakeHost, check: Script) -> Answer:
        reported = ["trusted" if body in host.trusted else "missing" for body in check.arguments[1:]]
        return Answer(0, "\n".join(reported))

    def _verify(self, host: FakeHost, check: Script) -> Answer:
        url = urlsplit(check.arguments[0])
        is_met = (
            (url.port, url.scheme) in host.schemes("ETCD_LISTEN_CLIENT_URLS")
            and all(path in host.files for path in check.arguments[1:])
            and self.reaches_quorum(host)
        )
        return (
            Answer(0, f"{host.id:x}, started\n--\n{host.id:x}, started\n") if is_met else Answer(1, "", "no")
        )

    def _stored(self, _host: FakeHost, _check: Script) -> Answer:
        urls = [url for registered in self.registry.values() for url in registered["peers"]]
        return Answer(0, json.dumps({"PeerURLs": urls}))

    def _files(self, host: FakeHost, check: Script) -> Answer:
        lines = [
            f"{mode:o} {owner} {group} {hashlib.sha256(text.encode()).hexdigest()} readable {path}"
            for path in check.arguments[1:]
            if path in host.files
            for text, mode, owner, group in (host.files[path],)
        ]
        return Answer(0, "\n".join(lines))

    def _own_files(self, host: FakeHost, check: Script) -> Answer:
        lines = [
            f"file={mode:o} {owner} {group} {hashlib.sha256(text.encode()).hexdigest()}\t{path}"
            for path in check.arguments
            if path in host.files
            for text, mode, owner, group in (host.files[path],)
        ]
        return Answer(0, "\n".join(lines))

    def _host_facts(self, host: FakeHost, check: Script) -> Answer:
        missing = [path for path in check.arguments[1:] if path not in host.directories]
        reported = ("user=etcd", "group=etcd", f"program={host.program}", "trust=debian")
        return Answer(0, "\n".join((*reported, *(f"missing={path}" for path in missing))))

    def _handshake(self, host: FakeHost, check: Script) -> Answer:
        url = urlsplit(check.arguments[0])
        other = next(other for other in self.hosts.values() if url.hostname in self._names(other))
        listening = set(other.schemes("ETCD_LISTEN_PEER_URLS"))
        if other.trial:
            listening.add((self.cluster.ports.trial, "https"))
        has_files = all(path in host.files for path in check.arguments[1:])
        is_met = other.is_running and (url.port or 0, "https") in listening and has_files
        is_met = is_met and not host.is_refused_by_peers and not self.is_expired
        return Answer(0, "200") if is_met else Answer(35, "000", "TLS connect error")

    def _names(self, host: FakeHost) -> set[str | None]:
        """What others dial it by."""
        return {urlsplit(url).hostname for url in self.registry[host.id]["peers"]}

    def _probe(self, host: FakeHost, probe: HttpProbe) -> Answer:
        url = urlsplit(probe.url)
        listening = host.schemes("ETCD_LISTEN_CLIENT_URLS")
        if not host.is_running or url.port not in dict(listening):
            return Answer(1, "", "nobody listens")
        if (url.port, url.scheme) not in listening:
            return Answer(1, "", "closed")
        if (
            url.scheme == "https"
            and probe.certificate is None
            and "ETCD_CLIENT_CERT_AUTH" in host.environment
        ):
            return Answer(1, "", "certificate required")
        urls = [url for registered in self.registry.values() for url in registered["clients"]]
        health = "true" if not host.id or self.reaches_quorum(host) else "false"
        reported = {"health": health, "endpoints": urls}
        return Answer(0, f"200\n{json.dumps(reported, separators=(',', ':'))}")

    def perform(self, job: Job) -> JobResult:
        """Run a job once; its result stays until the host reboots."""
        host = self.place(job.host)
        self.moment(f"before {job.id}")
        if job.id not in host.results:
            if job.lock and job.lock != host.lock.partition("\n")[0]:
                return JobResult(FENCED, host.lock)
            self.performed.append(job)
            host.begun.append(job.id)
            for number, operation in enumerate(job.operations):
                self.moment(f"host before {job.host} {job.id} {number}")
                self._do(host, operation)
                self.moment(f"host after {job.host} {job.id} {number}")
            host.results[job.id] = JobResult(0, "taken\n" if job.id.startswith("lock-") else "")
        self.moment(f"after {job.id}")
        return host.results[job.id]

    def reboot(self, name: str) -> None:
        """Crash a host: what was not on disk is gone, and systemd starts etcd from what is there."""
        host = self.place(name)
        host.results.clear()
        host.end_trial()
        host.reload()
        host.restart()
        raise HostUnreachableError(name, "rebooted")

    def _do(self, host: FakeHost, operation: Operation) -> None:
        match operation:
            case MakeDirectory():
                host.directories.add(operation.path)
            case Write():
                lying = (operation.text, operation.mode, operation.owner, operation.group)
                host.files[operation.path] = lying
            case EditFile():
                self._edit(host, operation)
            case Remove():
                host.files.pop(operation.path, None)
            case RemoveDirectory():
                if not any(Path(path).parent == Path(operation.path) for path in host.files):
                    host.directories.discard(operation.path)
            case Run(argv=("sh", "-c", host_locks.TAKE, *_, text)):
                host.lock = text  # from whom it may be taken is tested with the scripts themselves
            case Run(argv=("sh", "-c", host_locks.RELEASE, *_, mark)):
                host.lock = "" if host.lock.startswith(f"{mark}\n") else host.lock
            case Run():
                self._run(host, operation.argv)

    def _edit(self, host: FakeHost, operation: EditFile) -> None:
        text, *how = host.files[operation.path]
        if hashlib.sha256(text.encode()).hexdigest() != operation.after:
            assert hashlib.sha256(text.encode()).hexdigest() == operation.before
            text = operation.applied(text.encode()).decode()
            assert hashlib.sha256(text.encode()).hexdigest() == operation.after
        host.files[operation.path] = (text, *how)  # type: ignore[assignment]

    def _run(self, host: FakeHost, argv: tuple[str, ...]) -> None:
        match argv:
            case ("systemctl", "daemon-reload"):
                host.reload()
            case ("systemctl", "--no-block", "restart", unit_name) if unit_name == f"{host.service}.service":
                host.restart()
                self.cut_off.discard(host.name)
                if host.id in self.registry:
                    name = settings.ADVERTISE_CLIENT
                    urls = (host.environment.get(name) or settings.DEFAULTS[name]).split(",")
                    self.registry[host.id]["clients"] = urls
            case ("sh", "-c", actions.AWAIT, *_):
                pass
            case ("update-ca-certificates",):
                host.update_trust()
            case ("sh", "-c", ca_store.FORGET, *_):
                pass  # a fake host has no links
            case ("etcdctl", endpoint, *words, _, "member", "update", id_, urls):
                assert self._is_served(host, endpoint, *words)
                assert self.reaches_quorum(host), "member update needs a quorum"
                self.registry[int(id_, 16)]["peers"] = urls.removeprefix("--peer-urls=").split(",")
            case ("etcdctl", endpoint, *words, _, "move-leader", id_):
                assert self._is_served(host, endpoint, *words)
                assert host.name == self.leader, "move-leader must reach the leader"
                self.leader = next(other.name for other in self.hosts.values() if other.id == int(id_, 16))
            case _:
                self._do_beside(host, argv)

    def _do_beside(self, host: FakeHost, argv: tuple[str, ...]) -> None:
        match argv:
            case ("sh", "-c", watching.START, _, _, file, script, _):
                host.is_watching = {file, script} <= set(host.files)
            case ("sh", "-c", watching.END, _, _, file, directory):
                host.is_watching = False
                for path in [one for one in host.files if one == file or one.startswith(f"{directory}/")]:
                    host.files.pop(path)
                host.directories.discard(directory)
            case ("sh", "-c", trial.END):
                host.end_trial()
            case ("systemd-run", *_, "sh", "-c", trial.END):
                pass  # it ends the trial in its time
            case ("sh", path, unit_name) if unit_name == host.service:
                assert trial.COPY == host.files[path][0]
                host.copy_unit()
            case ("systemctl", "--no-block", "start", "orchestrator-trial.service"):
                host.try_out()
            case _:
                raise AssertionError(argv)

    def _is_served(self, host: FakeHost, endpoint: str, *words: str) -> bool:
        url = urlsplit(endpoint.removeprefix("--endpoints="))
        shown = {flag: path in host.files for flag, _, path in (word.partition("=") for word in words)}
        assert shown == ({"--cacert": True, "--cert": True, "--key": True} if url.scheme == "https" else {})
        return host.is_running and (url.port, url.scheme) in host.schemes("ETCD_LISTEN_CLIENT_URLS")


def make_cluster(
    folder: Path, members: int = 3, proxies: int = 0, local: int | Literal["auto", "none"] = 4001
) -> Cluster:
    """A cluster whose certificates are files in a folder; what they hold does not matter here."""
    for name in ("ca", "client", "client-key"):
        (folder / f"{name}.pem").write_text(
            f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n"
        )
    names = [f"server{number}" for number in range(1, members + 1)]
    names += [f"proxy{number}" for number in range(1, proxies + 1)]
    hosts = [_host(folder, name, f"198.18.0.{100 + number}") for number, name in enumerate(names, start=1)]
    return Cluster(
        name="three-members",
        strategy="bridge",
        members=tuple(Member(**host) for host in hosts[:members]),
        proxies=tuple(Proxy(**host) for host in hosts[members:]),
        tls=Tls(
            ca=folder / "ca.pem",
            certificate="{name}.pem",
            key="{name}-key.pem",
            client_certificate=folder / "client.pem",
            client_key=folder / "client-key.pem",
            directory="/etc/etcd2",
            client_cert_auth=True,
            peer_cert_auth=True,
        ),
        ports=Ports(local=local),
        patience=Patience(gate_s=0.0, pause_s=0.0),
    )


def _host(folder: Path, name: str, address: str) -> dict[str, Any]:
    (folder / f"{name}.pem").write_text(f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n")
    key = f"-----BEGIN PRIVATE KEY-----\n{name}\n-----END PRIVATE KEY-----\n"
    (folder / f"{name}-key.pem").write_text(key)
    ssh = Ssh(
        host=address,
        port=22,
        user="root",
        identity_file=None,
        known_hosts=folder / "known_hosts",
        become="none",
    )
    return {
        "name": name,
        "address": address,
        "service": "etcd2",
        "ssh": ssh,
        "certificate": folder / f"{name}.pem",
        "key": folder / f"{name}-key.pem",
    }
