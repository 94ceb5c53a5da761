"""What etcd's process sees of a directory, which its unit may hide from it."""

from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan.facts import Target

# $1 service, $2 the certificates' directory: whether the running process sees the very same directory, or
# the nearest above it that is there; then its path with every link followed.
SCRIPT = """
path=$(readlink -m -- "$2") || exit
place=$path
while [ ! -d "$place" ]; do place=$(dirname -- "$place"); done
pid=$(systemctl show --property=MainPID --value "$1.service") || exit
if [ "${pid:-0}" -eq 0 ]; then
  seen=unknown
elif [ "$(stat -L -c %d:%i -- "$place")" = "$(stat -L -c %d:%i -- "/proc/$pid/root$place")" ]; then
  seen=same
else
  seen=other
fi
printf '%s %s\\n' "$seen" "$path"
"""


def place(target: Target, directory: str) -> Fact[tuple[str, str]]:
    """Whether the process sees the very same directory (same, other or unknown), and where that really is."""
    return Fact(Script(target.name, SCRIPT, (target.etcd.service, directory)), _place)


def _place(answer: Answer) -> tuple[str, str]:
    """Read whether the process sees the directory (same, other or unknown), and where that really is."""
    seen, _, real = answer.text.strip().partition(" ")
    if seen not in {"same", "other", "unknown"} or not real.startswith("/"):
        raise ValueError("the host reported no directory")
    return seen, real
