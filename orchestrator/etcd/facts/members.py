"""What a member tells beside its status: its version, a downgrade, how much it holds, and its own listing."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.etcd import login, settings
from orchestrator.etcd.api import MemberStatus
from orchestrator.etcd.api.words import CURL_TLS, MAIN_PROCESS, OWN_LISTENER, V3_TLS, asking
from orchestrator.host.questions import Answer, Answers, Fact, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target

# Which version answers, and whether it serves the v2 interface.
VERSION = f"""{OWN_LISTENER}
ask() {{ curl --silent --show-error --noproxy '*' --max-time 4 {CURL_TLS} "$@"; }}
ask "$url/version" || exit 1
ask --output /dev/null --write-out '\\n%{{http_code}}\\n' "$url/v2/members"
"""

# Where etcd serves its v3 interface as JSON: 3.3 has the second path alone. A refusal is an answer too.
GATEWAY = f"""{OWN_LISTENER}
for path in v3 v3beta; do
  curl --silent --show-error --noproxy '*' --max-time 4 {CURL_TLS} --output /dev/null \\
    --write-out '%{{http_code}}\\n' --data '{{}}' "$url/$path/cluster/member/list" || exit 1
done
"""

# Served on the peer port (etcd 3.5 and 3.6: DowngradeEnabledPath); 3.4 answers 404, for it has no downgrade.
DOWNGRADE = f"""{MAIN_PROCESS}
setting ETCD_LISTEN_PEER_URLS listen-peer-urls
url=$(printf '%s' "${{value:-http://localhost:2380}}" | tr ',' '\\n' | sed -n '/^http:/p' | head -n 1 |
  sed 's#//0\\.0\\.0\\.0:#//127.0.0.1:#; s#//\\[::\\]:#//[::1]:#')
exec curl --silent --noproxy '*' --max-time 4 --write-out ' %{{http_code}}' "$url/downgrade/enabled"
"""

# 3.3 and 3.4 have no --count-only; a page of one key tells the count too.
COUNT = f"""{login.READ}
{OWN_LISTENER}
ask() {{ ETCDCTL_API=3 etcdctl --endpoints="$url" {V3_TLS} --dial-timeout=2s --command-timeout=4s "$@"; }}
ask get '' --prefix --keys-only --limit=1 --consistency=s --write-out=json || exit 1
ask lease list | sed -n 's/^found \\([0-9]*\\) leases.*/\\1/p'
"""

# The words of the two interfaces for CA, certificate and key. $1 url, $2 CA, $3 certificate, $4 key.
# First with flags, then with variables; both must list the member.
LISTINGS: Mapping[str, str] = {
    "v3": f"""{login.READ}
export ETCDCTL_API=3
limits='--dial-timeout=2s --command-timeout=4s'
etcdctl $limits --endpoints="$1" --cacert="$2" --cert="$3" --key="$4" member list || exit 1
echo --
export ETCDCTL_ENDPOINTS="$1" ETCDCTL_CACERT="$2" ETCDCTL_CERT="$3" ETCDCTL_KEY="$4"
etcdctl $limits member list
""",
    "v2": """
export ETCDCTL_API=2
etcdctl --endpoints="$1" --ca-file="$2" --cert-file="$3" --key-file="$4" member list || exit 1
echo --
export ETCDCTL_ENDPOINTS="$1" ETCDCTL_ENDPOINT="$1"
export ETCDCTL_CA_FILE="$2" ETCDCTL_CERT_FILE="$3" ETCDCTL_KEY_FILE="$4"
etcdctl member list
""",
}


@dataclass(frozen=True, slots=True)
class Version:
    """Which version a member is, which one its cluster works as, and whether it serves the v2 interface."""

    server: str
    cluster: str
    serves_v2: bool


def version(target: Target) -> Fact[Version]:
    """Which version a member is."""

    def read(answer: Answer) -> Version:
        reported, _, code = answer.text.strip().rpartition("\n")
        body = foreign.of_json(foreign.VersionBody, reported, "its version")
        return Version(body.etcdserver, body.etcdcluster, code == "200")

    return Fact(Script(target.name, VERSION, asking(target), timeout_s=10.0), read)


def gateway(target: Target) -> Fact[bool]:
    """Whether a member serves its v3 interface as JSON, however it answers there."""

    def read(answer: Answer) -> bool:
        return any(code != "404" for code in answer.text.split())

    return Fact(Script(target.name, GATEWAY, asking(target), timeout_s=10.0), read)


def downgrade(member: Target) -> Fact[bool]:
    """Whether a downgrade is in progress; no answer is no."""

    def read(answer: Answer) -> bool:
        return answer.exit_status == 0 and answer.text.split() == ["true", "200"]

    return Fact(Script(member.name, DOWNGRADE, (member.etcd.service,), timeout_s=6.0), read)


class _Page(foreign.Shape):
    count: int = 0


def counts(target: Target) -> Fact[tuple[int, int]]:
    """How many keys and leases there are."""
    return Fact(
        Script(target.name, COUNT, asking(target), timeout_s=12.0, secret=login.of(target.cluster)), _counted
    )


def _counted(answer: Answer) -> tuple[int, int]:
    page, _, leases = answer.text.partition("\n")
    keys = foreign.of_json(_Page, page, "etcdctl's answer").count
    if not leases.strip().isdecimal():
        raise ValueError(answer.reason)
    return keys, int(leases)


def unlisted(target: Target, url: str) -> Fact[str | None]:
    """Why etcdctl on the member's host does not list it with its certificates, or None if it does."""

    def read(answer: Answer) -> str | None:
        # v2's exit status says nothing: what counts is that the member is listed, both times
        is_listed = answer.exit_status == 0 and answer.text.count(target.member.id) >= 2
        return None if is_listed else answer.reason

    arguments = (url, *settings.Paths.of(target).material)
    script, secret = LISTINGS[target.facts.api], login.of(target.cluster)
    return Fact(Script(target.name, script, arguments, timeout_s=8.0, secret=secret), read)


def readable(statuses: Mapping[str, Fact[MemberStatus]], answers: Answers) -> Mapping[str, MemberStatus]:
    """Return what those members say of themselves that say anything; 'quorum' complains of the others."""
    found = {}
    for name, status in statuses.items():
        with suppress(ValueError):
            found[name] = status.read(answers)
    return found
