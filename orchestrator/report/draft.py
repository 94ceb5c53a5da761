"""A plan drafted from what was found: commented YAML, in which text from hosts is a value and no more."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from orchestrator.plan import spelling
from orchestrator.plan.discovered import Discovered, DiscoveredHost
from orchestrator.plan.kinds import USUAL_LOCAL_PORT
from orchestrator.text import escaped

FILL_IN = "FILL IN"
_PLAIN = re.compile(r"[A-Za-z/~][A-Za-z0-9/._~-]*")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_WIDTH = 40

Value = str | int


@dataclass(frozen=True, slots=True)
class Drafting:
    """What is written beside what was found: ``ssh`` as the command line said it, ``schema`` for editors."""

    ssh: Mapping[str, str | int]
    schema: str
    made_by: str


def draft(found: Discovered, drafting: Drafting) -> str:
    """Return the plan of a cluster, with a comment wherever a person has to say or to look at something."""
    return "\n".join(_lines(found, drafting)) + "\n"


def scalar(value: Value) -> str:
    """Return a value as YAML that says just this value, whatever it holds."""
    if isinstance(value, int):
        return str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS and not value.startswith("~"):
        return value
    try:
        if ip_address(value).version == 4:
            return value
    except ValueError:
        pass
    return f'"{"".join(map(_escaped, value))}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isascii() and char.isprintable():
        return char
    number = ord(char)
    return f"\\U{number:08x}" if number > 0xFFFF else f"\\u{number:04x}"


def comment(text: str, indent: str = "") -> str:
    """Return foreign text as a comment of one line."""
    return f"{indent}# {escaped(text, keep='')}"


def _field(name: str, value: Value, why: str = "", indent: str = "") -> str:
    line = f"{indent}{name}: {scalar(value)}"
    return _beside(line, escaped(why, keep="")) if why else line


def _beside(line: str, why: str) -> str:
    """Return a line with a comment beside it: without a blank before it YAML takes it for the value's end."""
    return f"{line:<{_WIDTH - 1}} # {why}"


def _flow(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"


def _unknown(line: str, why: str) -> str:
    return _beside(f"# {line}", f"{FILL_IN}: {why}")


def _lines(found: Discovered, drafting: Drafting) -> Iterator[str]:
    services = Counter(host.service for host in found.hosts)
    service = services.most_common(1)[0][0]
    yield f"# yaml-language-server: $schema={drafting.schema}"
    yield comment(f"{drafting.made_by}: etcd {found.version}, {len(found.members)} members found over SSH.")
    yield "# Paths are relative to this file; {name} is the host's name. docs/plan-file.md has every field."
    yield f"# A line with {FILL_IN} is what the hosts do not tell; take its '# ' away where it is wanted."
    yield from map(comment, found.notes)
    if found.name:
        yield _field("cluster", found.name, "your name for it; found: the token with which it was begun")
    else:
        yield _field("cluster", "etcd", f"{FILL_IN}: your name for it; nobody has named it yet")
    yield _field("service", service, "systemd unit of etcd on the hosts, without .service")
    yield "strategy: bridge"
    if len(found.members) <= 2:
        yield _unknown("accept_downtime: true", "each restart takes the quorum away; check wants your word")
    if found.wants_login:
        auth = "auth: {user: root, password_file: root.password}"
        yield _unknown(
            auth, "authentication is on; a user of etcd with the role root, and its password's file"
        )
    yield "members:"
    for host in found.members:
        yield from _host(host, service, drafting.ssh)
    if found.proxies:
        yield "proxies:"
        for host in found.proxies:
            yield from _host(host, service, drafting.ssh)
    else:
        yield _unknown(
            "proxies: [{name: proxy1, address: IP}]", "v2 proxies on other hosts, which nothing lists"
        )
    yield from _ssh(drafting.ssh)
    yield from _tls(service)
    yield from _ports(found)
    yield _unknown("watch: {units: [flanneld]}", "local clients that have to stay quiet behind each restart")
    yield _unknown("clients: {quiet: 10m}", "how long nobody may have spoken http before it is closed")


def _host(host: DiscoveredHost, service: str, shared: Mapping[str, str | int]) -> Iterator[str]:
    yield comment(f"{host.name}: settings from {host.settings_from}", "  ")
    for line in host.certificates:
        yield comment(f"{host.name} uses already: {line}", "  ")
    for line in host.notes:
        yield comment(f"{host.name}: {line}", "  ")
    fields = {"name": scalar(host.name), "address": scalar(host.address)}
    if not host.address:
        fields["address"] = scalar("unknown.invalid")
        yield comment(f"{FILL_IN}: the address that members and clients dial", "  ")
    if host.service != service:
        fields["service"] = scalar(host.service)
    own = _own_ssh(host, shared)
    if own:
        fields["ssh"] = _flow({name: scalar(value) for name, value in own.items()})
    yield f"  - {_flow(fields)}"


def _own_ssh(host: DiscoveredHost, shared: Mapping[str, str | int]) -> dict[str, Value]:
    """Return how a host is reached where that differs from the others."""
    said = {name: value for name, value in host.seed.way.items() if shared.get(name) != value}
    return ({"host": host.seed.host} if host.seed.host != host.address else {}) | said


def shared_by(hosts: Sequence[DiscoveredHost]) -> dict[str, Value]:
    """Return what is said of the way to every host alike."""
    first = hosts[0].seed.way
    return {
        name: value for name, value in first.items() if all(one.seed.way.get(name) == value for one in hosts)
    }


def _ssh(shared: Mapping[str, str | int]) -> Iterator[str]:
    if not shared:
        yield "# ssh: {user: root, become: none}        # not needed: ~/.ssh/config and the agent were enough"
        return
    yield "ssh:"
    for name, value in shared.items():
        yield _field(name, value, indent="  ")


def _tls(service: str) -> Iterator[str]:
    yield "tls:                                    # made by certs, or your own: then put their paths here"
    yield "  ca: pki/ca.pem"
    yield "  certificate: pki/{name}.pem"
    yield "  key: pki/{name}-key.pem"
    yield "  client_certificate: pki/client.pem"
    yield "  client_key: pki/client-key.pem"
    yield _field("directory", _directory(service), "on the hosts; made by the run", "  ")


def _directory(service: str) -> str:
    directory = f"/etc/{service.partition('@')[0]}/pki"
    try:
        return spelling.directory(directory)
    except ValueError:
        return "/etc/etcd/pki"


def _ports(found: Discovered) -> Iterator[str]:
    ports = {"client": str(found.client), "peer": str(found.peer)}
    if found.local not in {None, USUAL_LOCAL_PORT}:
        ports["local"] = str(found.local)
    yield f"ports: {_flow(ports)}"
    yield _unknown(
        "ports: {local: none}", "none, or the port for unencrypted clients on the hosts themselves"
    )
