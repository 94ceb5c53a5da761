"""Client URLs that members advertise: whoever follows them has to arrive at that very member."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from orchestrator.etcd import settings
from orchestrator.etcd.api.words import Registered
from orchestrator.etcd.install import drop_ins
from orchestrator.host.checks import Remark, wrong
from orchestrator.plan.model import Host
from orchestrator.text import shown


def nowhere(host: Host, member: Registered) -> Iterable[Remark]:
    """Complain of a member that advertises the address of no host, such as http://0.0.0.0:2379."""
    urls = [url for url in member.client_urls if settings.is_unspecified(url)]
    if urls:
        yield wrong(
            f"{host.name} advertises {', '.join(urls)}: a client that follows it dials its own host",
            f"on {host.name}: {command(host, member.client_urls)} (as root, one member at a time)",
        )


def command(host: Host, urls: Iterable[str]) -> str:
    """Return the command that makes a member advertise the plan's address in place of no host's."""
    wanted = ",".join(dict.fromkeys(_at(host.address, url) for url in urls))
    lines = drop_ins.setting({settings.ADVERTISE_CLIENT: wanted}).splitlines()
    return (
        f"{drop_ins.command(host, drop_ins.BEFORE_OURS, lines)} && systemctl restart {host.service}.service"
    )


def _at(address: str, url: str) -> str:
    if not settings.is_unspecified(url):
        return shown(url, quote="", limit=len(url))
    parts = urlsplit(url)
    host = f"[{address}]" if ":" in address else address
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
