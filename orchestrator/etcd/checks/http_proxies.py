"""HTTP proxies in a unit's variables: over https etcd dials its peers through them, unless NO_PROXY says no.

Go's rules: golang.org/x/net/http/httpproxy. HTTP_PROXY counts for https too where HTTPS_PROXY is missing (Go
before 1.16), and networks such as 10.0.0.0/8 do not count in NO_PROXY (Go before 1.11).
"""

import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from orchestrator.etcd import stages
from orchestrator.etcd.facts import process
from orchestrator.etcd.install import drop_ins, unit, variables
from orchestrator.host.checks import Check, Remark, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target

_OF_PEERS = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
_EXEMPTING = {"NO_PROXY", "no_proxy"}
_WITHOUT_NETWORKS = ("2.", "3.0.", "3.1.", "3.2.", "3.3.")  # etcd's versions that may be built with such a Go
_ENTRY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*):(?P<port>[^:]*)")


def http_proxies(target: Target) -> Check:
    """Ask for the proxy variables of the running process and of the unit's next start."""
    targets = _targets(target)
    takes_networks = not any(
        member.version.startswith(_WITHOUT_NETWORKS) for member in target.facts.members.values()
    )
    runs, described = process.running(target), unit.of(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        running, read = runs.read(answers), described.read(answers)
        at_next_start = {name: read.variables[name] for name in process.PROXIES if name in read.variables}
        found = {**running.proxies, **at_next_start}
        variable = next((name for name in _OF_PEERS if found.get(name)), None)
        if variable is None:
            yield fine("no proxy is set for etcd")
            return
        exempt = found.get("NO_PROXY") or found.get("no_proxy") or ""
        caught = {
            host: name
            for (host, port), name in targets.items()
            if not is_exempt(host, port, exempt, takes_networks=takes_networks)
        }
        if not caught:
            yield fine(f"{variable} is set, and NO_PROXY exempts every member")
            return
        reported = ", ".join(name if name == host else f"{name} ({host})" for host, name in caught.items())
        yield wrong(
            f"{variable} is set for etcd, and NO_PROXY does not exempt {reported}: over https it would dial "
            "them through that proxy",
            _fix(target, read, exempt, caught),
        )

    return Check(target.name, (runs, described), judge)


def is_exempt(host: str, port: int, no_proxy: str, *, takes_networks: bool = True) -> bool:
    """Whether Go dials a host and port directly, with a proxy and this NO_PROXY set."""
    name = host.lower()
    address = _address(name)
    if name == "localhost" or (address is not None and address.is_loopback):
        return True
    for entry in (text.strip().lower() for text in no_proxy.split(",")):
        if entry == "*":
            return True
        network = _network(entry)
        if network is not None:
            if takes_networks and address is not None and address in network:
                return True
            continue
        found = _ENTRY.fullmatch(entry)
        its_host, its_port = (found["host"].strip("[]"), found["port"]) if found else (entry, "")
        if its_host and _matches(its_host, name) and its_port in {"", str(port)}:
            return True
    return False


def _matches(entry: str, name: str) -> bool:
    address = _address(entry)
    if address is not None:
        return address == _address(name)
    domain = entry.removeprefix("*") if entry.startswith("*.") else entry
    return name.endswith(domain) if domain.startswith(".") else name == domain or name.endswith(f".{domain}")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(text: str) -> IPv4Network | IPv6Network | None:
    host, slash, bits = text.partition("/")
    if not slash or not bits.isdecimal() or _address(host) is None:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _targets(target: Target) -> Mapping[tuple[str, int], str]:
    """Host and port of everybody whom this host's etcd dials, with the member's name."""
    is_member = target.name in target.facts.members
    found: dict[tuple[str, int], str] = {}
    for other in target.others:
        advertised = () if is_member else stages.advertised_clients(other)
        for url in (*other.member.peer_urls, *advertised):
            parts = urlsplit(url)
            found[parts.hostname or "", parts.port or 443] = other.name
    return found


def _fix(target: Target, read: unit.Unit, exempt: str, caught: Iterable[str]) -> str:
    """Say how NO_PROXY is set for the next start, which is early enough: it is not over https yet."""
    value = ",".join((*filter(None, (entry.strip() for entry in exempt.split(","))), *caught))
    in_files = [path for path, text in read.files.items() if _EXEMPTING & set(variables.of_file(text))]
    in_file = in_files[-1] if in_files else None  # the last one counts
    if in_file is not None or not value.isprintable():
        return f"add {','.join(caught)} to NO_PROXY in {in_file or 'the unit'}"
    line = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return drop_ins.command(target.etcd, "zz-no-proxy.conf", ("[Service]", f'Environment="NO_PROXY={line}"'))
