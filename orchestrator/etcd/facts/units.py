"""Which units of a host run an etcd, and which certificates it uses: of hosts that have no plan yet."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.host.questions import Answer, Fact, Script

# Whose main process is called as etcd is; the control group names the unit, or the container.
UNITS = r"""
for place in /proc/[0-9]*; do
  program=$(readlink "$place/exe" 2> /dev/null) || continue
  program=${program% (deleted)}
  case ${program##*/} in etcd | etcd[23] | etcd-*) ;; *) continue ;; esac
  group=$(tail -n 1 "$place/cgroup" 2> /dev/null) || continue
  group=${group##*/}
  case $group in *.service) ;; *) printf 'other=%s\n' "$group" && continue ;; esac
  main=$(systemctl show --property=MainPID "$group") || continue
  if [ "${main#MainPID=}" = "${place#/proc/}" ]; then
    printf 'unit=%s\n' "${group%.service}"
  else
    printf 'other=%s\n' "$group"
  fi
done
exit 0
"""

# Only what stands between the lines of a certificate: a key in the same file stays where it is.
CERTIFICATES = r"""
for path; do
  case $path in /*) ;; *) continue ;; esac
  [ -f "$path" ] || { printf 'missing=%s\n' "$path"; continue; }
  printf 'held='
  head -c 65536 -- "$path" |
    sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' | base64 -w0
  printf ' %s\n' "$path"
done
exit 0
"""


@dataclass(frozen=True, slots=True)
class Running:
    """Units, without ``.service``, whose main process is an etcd; ``others`` are what else runs one."""

    units: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A file of certificates that etcd uses; ``text`` is what it holds of them, None if it is not there."""

    path: str
    text: str | None


def units(host: str) -> Fact[Running]:
    """Which units run an etcd."""

    def read(answer: Answer) -> Running:
        reported = answer.pairs
        found = {key: sorted({value for name, value in reported if name == key}) for key in ("unit", "other")}
        return Running(tuple(found["unit"]), tuple(found["other"]))

    return Fact(Script(host, UNITS), read)


def certificates(host: str, paths: Iterable[str]) -> Fact[tuple[Held, ...]]:
    """What these files hold; nothing of a private key is read."""

    def read(answer: Answer) -> tuple[Held, ...]:
        found = []
        for key, value in answer.pairs:
            if key == "missing":
                found.append(Held(value, None))
            else:
                encoded, _, path = value.partition(" ")
                found.append(Held(path, base64.b64decode(encoded, validate=True).decode(errors="replace")))
        return tuple(found)

    return Fact(Script(host, CERTIFICATES, tuple(paths)), read)
