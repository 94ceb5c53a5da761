"""Whether a host can carry the trial beside its member: systemd, memory, and a port that the others reach."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from orchestrator.etcd import trial
from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.trial.carrying import Carrier, carrier
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Target
from orchestrator.text import shown

_MEMORY_FAIL_MIB = 256  # its log takes 128 MiB of the tmpfs, etcd itself 40 MiB (3.4.23)
_OLDEST_SYSTEMD = 238  # TemporaryFileSystem=


def of_members(site: Site) -> Iterable[Check]:
    """Ask each member for what a trial of its next start takes, and whether the others' port is in reach."""
    return map(_of_host, site.members)


def _of_host(target: Target) -> Check:
    asked, unit, port = carrier(target), f"{target.etcd.service}.service", target.cluster.ports.trial

    def judge(answers: Answers) -> Iterable[Remark]:
        found = asked.read(answers)
        troubles = tuple(_troubles(found, unit, port))
        yield from troubles
        if not troubles:
            yield fine(f"{found.available_mib} MiB of memory, port {port} of every other member is in reach")

    return Check(target.name, (asked,), judge)


def _troubles(found: Carrier, unit: str, port: int) -> Iterable[Remark]:
    if found.systemd < _OLDEST_SYSTEMD:
        yield wrong(
            f"systemd {found.systemd} cannot hide the member's data from a trial: {_OLDEST_SYSTEMD} can",
            "there is no way around this yet: the host needs a newer system",
        )
    if found.is_dynamic:
        yield wrong(
            f"{unit} has DynamicUser=yes: a second unit would take its files over",
            "give the unit a user of its own: DynamicUser=no and User=, and chown its data",
        )
    if found.type == "forking":
        yield wrong(
            f"{unit} has Type=forking: a trial of it cannot be distinguished from the member",
            "let it be notify",
        )
    yield from _of_data(found, unit)
    if found.available_mib < _MEMORY_FAIL_MIB:
        yield wrong(
            f"{found.available_mib} MiB of memory are available, a trial takes up to {_MEMORY_FAIL_MIB}",
            "stop something that is not needed for some minutes: ps axu --sort=-rss | head",
        )
    elif found.available_mib < trial.MEMORY_MIB:
        yield doubtful(
            f"{found.available_mib} MiB of memory are available, a trial may take up to {trial.MEMORY_MIB}",
            "look what takes it: ps axu --sort=-rss | head",
        )
    for url, reason in found.shut:
        yield wrong(
            f"cannot reach {urlsplit(url).netloc}: {reason}",
            f"open port {port} between the members, or write one that is open into the plan: ports.trial",
        )


def _of_data(found: Carrier, unit: str) -> Iterable[Remark]:
    if found.log == "":
        yield wrong(
            f"cannot see where {unit} keeps its log, which has to be hidden from a trial",
            "what the check 'unit' prints comes first; then check again",
        )
    if found.odd:
        yield wrong(
            f"{unit} keeps its data in {shown(found.odd, quote='', limit=300)}: a unit cannot name that, so "
            "it cannot be hidden from a trial",
            "there is no way around this yet: its path may have letters, digits and ._@+- alone",
        )
