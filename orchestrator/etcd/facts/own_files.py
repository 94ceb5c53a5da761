"""The operator's own files that say etcd's settings: whose they are, and who else reads them."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.host.questions import Answer, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target
from orchestrator.trusted import UNTRUSTED

# For each path: mode, owner, group and SHA-256; what it leads to if it is a link; why its directory is not
# root's alone; and every file of a unit that names it. A tab stands before each path.
SCRIPT = (
    UNTRUSTED
    + """
for path; do
  [ -f "$path" ] || continue
  sum=$(sha256sum < "$path") || exit 1
  printf 'file=%s %s\\t%s\\n' "$(stat -L -c '%a %U %G' -- "$path")" "${sum%% *}" "$path"
  [ ! -L "$path" ] || printf 'link=%s\\t%s\\n' "$(readlink -f -- "$path")" "$path"
  why=$(untrusted "$(dirname -- "$path")")
  [ -z "$why" ] || printf 'untrusted=%s\\t%s\\n' "$why" "$path"
  named=$(printf '%s' "$path" | sed 's/[][\\.*^$+?(){}|]/\\\\&/g')
  grep -rlsE -- "$named([[:space:]\\"']|\\$)" /etc/systemd/system /run/systemd/system \\
    /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system |
    while IFS= read -r unit; do printf 'named=%s\\t%s\\n' "$unit" "$path"; done
done
exit 0
"""
)
_SLOWEST_S = 60.0  # every unit of the host is read, once for each path


@dataclass(frozen=True, slots=True)
class OnHost:
    """A file as it lies there; ``link`` is what it leads to, ``untrusted`` why others may change its place.

    ``named`` are the files of units that name it.
    """

    sha256: str
    mode: int
    owner: str
    group: str
    link: str = ""
    untrusted: str = ""
    named: tuple[str, ...] = ()


def of(target: Target, paths: Iterable[str]) -> Fact[dict[str, OnHost]]:
    """How these files lie there, by path; one that is missing is missing here too."""
    return Fact(Script(target.name, SCRIPT, tuple(paths), _SLOWEST_S), _lying)


def _lying(answer: Answer) -> dict[str, OnHost]:
    several: dict[str, dict[str, list[str]]] = {"file": {}, "link": {}, "untrusted": {}, "named": {}}
    for key, value in answer.pairs:
        said, _, path = value.partition("\t")
        several[key].setdefault(path, []).append(said)
    found = {}
    for path, (how,) in several["file"].items():
        mode, owner, group, sha256 = how.split(" ")
        found[path] = OnHost(
            sha256=sha256,
            mode=foreign.mode(mode),
            owner=foreign.account(owner),
            group=foreign.account(group),
            link="".join(several["link"].get(path, ())),
            untrusted="".join(several["untrusted"].get(path, ())),
            named=tuple(several["named"].get(path, ())),
        )
    return found
