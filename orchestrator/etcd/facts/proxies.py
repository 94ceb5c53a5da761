"""What a v2 proxy knows of the members, what it relays to them, and what it answers."""

from orchestrator.etcd import stages
from orchestrator.etcd.api.words import MAIN_PROCESS
from orchestrator.host.questions import Answer, Fact, HttpProbe, Script
from orchestrator.plan import foreign
from orchestrator.plan.facts import Target
from orchestrator.plan.foreign import Url

# Where a v2 proxy keeps the members' peer URLs (source of etcd 2.3.8 and 3.4: <data-dir>/proxy/cluster).
SCRIPT = f"""{MAIN_PROCESS}
setting ETCD_DATA_DIR data-dir
exec cat "$value/proxy/cluster"
"""


class _Stored(foreign.Shape):
    PeerURLs: list[Url]


class _Relayed(foreign.Shape):
    endpoints: list[Url]


def stored(proxy: Target) -> Fact[set[Url]]:
    """The members' peer URLs that a proxy has stored."""

    def read(answer: Answer) -> set[Url]:
        return set(foreign.of_json(_Stored, answer.text, "its list").PeerURLs)

    return Fact(Script(proxy.name, SCRIPT, (proxy.etcd.service,)), read)


def endpoints(proxy: Target) -> Fact[set[Url]]:
    """The members' client URLs that a proxy relays to."""

    def read(answer: Answer) -> set[Url]:
        body = answer.text.partition("\n")[2]
        return set(foreign.of_json(_Relayed, body, "its list").endpoints)

    return Fact(HttpProbe(proxy.name, f"{stages.relaying_url(proxy)}/v2/config/local/proxy"), read)


def unread(target: Target, url: str) -> Fact[str | None]:
    """Why a read is not relayed, or None if it is."""

    def read(answer: Answer) -> str | None:
        if answer.exit_status == 0 and answer.text.startswith("200\n"):
            return None
        return answer.stderr or answer.text.partition("\n")[0]

    return Fact(HttpProbe(target.name, url), read)
