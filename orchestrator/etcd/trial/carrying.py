"""What a host has for a trial beside its member: systemd, memory, and the port at which the others listen."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.etcd.trial.copying import DATA
from orchestrator.etcd.trial.urls import urls
from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target
from orchestrator.text import shown

_DIAL_S = 3
_REFUSED = "Connection refused"  # nobody listens there yet, and a dialler gets to know that
_NO_ANSWER = 28  # curl's exit status

# $1 service, then URLs of the other members' trials. Lines: systemd's version, two properties of the unit,
# where a process that runs has its log, and its data if a unit cannot name that, available memory in KiB, and
# what came of dialling each: URL STATUS and the kernel's words.
SCRIPT = f"""
systemctl --version | sed -n '1s/^[^0-9]*\\([0-9][0-9]*\\).*/systemd=\\1/p'
systemctl show --property=DynamicUser,Type "$1.service" || exit
pid=$(systemctl show --property=MainPID --value "$1.service")
if [ "${{pid:-0}}" -gt 0 ]; then
{DATA}
  printf 'log=%s\\nodd=%s\\n' "$log" "$odd"
fi
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
    """What a host has for a trial; ``shut`` are URLs that cannot be reached from it, with the reason.

    ``log`` is where a process that runs has its log open, empty if nowhere, and None if none runs; ``odd`` is
    where it has its data, if a unit cannot name that.
    """

    systemd: int
    is_dynamic: bool
    type: str
    available_mib: int
    log: str | None
    odd: str
    shut: tuple[tuple[str, str], ...]


def carrier(target: Target) -> Fact[Carrier]:
    """What a member's host has for a trial."""
    dialled = tuple(_plain(url) for other in target.others for url in urls(other))
    script = Script(target.name, SCRIPT, (target.etcd.service, *dialled), 5.0 + _DIAL_S * len(dialled))
    return Fact(script, _carrier)


def _plain(url: str) -> str:
    """Return the place without TLS: it is enough to be refused there."""
    return f"http://{urlsplit(url).netloc}/"


def _carrier(answer: Answer) -> Carrier:
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
        fields.get("log"),
        fields.get("odd", ""),
        tuple(shut),
    )
