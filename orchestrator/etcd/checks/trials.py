"""Whether a host can carry the trial beside its member: systemd, memory, and a port that the others reach."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.etcd import trial
from orchestrator.etcd.checks.site import Site
from orchestrator.host.checks import Check, Remark, doubtful, fine, wrong
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target
from orchestrator.text import shown

_DIAL_S = 3
_MEMORY_FAIL_MIB = 256  # its log takes 128 MiB of the tmpfs, etcd itself 40 MiB (3.4.23)
_OLDEST_SYSTEMD = 238  # TemporaryFileSystem=
_REFUSED = "Connection refused"  # nobody listens there yet, and a dialler gets to know that
_NO_ANSWER = 28  # curl's exit status

# $1 service, then URLs of the other members' trials. Lines: systemd's version, two properties of the unit,
# available memory in KiB, and what came of dialling each: URL STATUS and the kernel's words.
SCRIPT = f"""
systemctl --version | sed -n '1s/^[^0-9]*\\([0-9][0-9]*\\).*/systemd=\\1/p'
systemctl show --property=DynamicUser,Type "$1.service" || exit
sed -n 's/^MemAvailable: *\\([0-9][0-9]*\\) kB/available=\\1/p' /proc/meminfo
shift
for url; do
  said=$(curl --verbose --noproxy '*' --output /dev/null --max-time {_DIAL_S} "$url" 2>&1)
  status=$?
  said=$(printf '%s\\n' "$said" | sed -n 's/^\\* connect to .* failed: //p' | tail -n 1)
  printf 'dialled=%s %s %s\\n' "$url" "$status" "$said"
done
exit 0
"""


@dataclass(frozen=True, slots=True)
class Carrier:
    """What a host has for a trial; ``shut`` are URLs that cannot be reached from it, with the reason."""

    systemd: int
    is_dynamic: bool
    type: str
    available_mib: int
    shut: tuple[tuple[str, str], ...]


def of(target: Target) -> Fact[Carrier]:
    """What a member's host has for a trial."""
    dialled = tuple(_plain(url) for other in target.others for url in trial.urls(other))
    script = Script(target.name, SCRIPT, (target.host.service, *dialled), 5.0 + _DIAL_S * len(dialled))
    return Fact(script, read)


def _plain(url: str) -> str:
    """Return the place without TLS: it is enough to be refused there."""
    return f"http://{urlsplit(url).netloc}/"


def read(answer: Answer) -> Carrier:
    """Read the script's lines; ValueError for any other."""
    fields = dict(answer.pairs)
    dialled = (value.split(" ", 2) for key, value in answer.pairs if key == "dialled")
    shut = []
    for url, status, *said in dialled:
        if foreign.number(status, "an exit status") == _NO_ANSWER:
            shut.append((url, f"no answer within {_DIAL_S} s"))
        elif said and said[0] not in {"", _REFUSED}:
            shut.append((url, shown(said[0], quote="")))
    return Carrier(
        foreign.number(fields.get("systemd", "0"), "systemd's version"),
        fields.get("DynamicUser") == "yes",
        fields.get("Type", ""),
        foreign.number(fields.get("available", "0"), "memory") // 1024,
        tuple(shut),
    )


def of_members(site: Site) -> Iterable[Check]:
    """Ask each member for what a trial of its next start takes, and whether the others' port is in reach."""
    return map(_of_host, site.members)


def _of_host(target: Target) -> Check:
    carrier, unit, port = of(target), f"{target.host.service}.service", target.cluster.ports.trial

    def judge(answers: Answers) -> Iterable[Remark]:
        found = carrier.read(answers)
        troubles = tuple(_troubles(found, unit, port))
        yield from troubles
        if not troubles:
            yield fine(f"{found.available_mib} MiB of memory, port {port} of every other member is in reach")

    return Check(target.name, (carrier,), judge)


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
