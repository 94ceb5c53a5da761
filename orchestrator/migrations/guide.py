"""The guide's literal order, for those who have to follow it; its window is unsafe, and the bridge is not.

The CoreOS guide (2015) registers every peer URL as https while all members still listen on http. What that
means was measured on etcd 3.4.23: docs/etcd-facts.md.
"""

from orchestrator.etcd import actions as do
from orchestrator.etcd import checks as is_
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.migrations.bridge import (
    ACCEPTING,
    AFTERWARDS,
    CLIENTS_LOSE,
    NEEDS_NO_QUORUM,
    PLAINTEXT,
    PROVING,
    RELAYING,
    RELAYING_SAFELY,
    RELAYING_STAGED,
    SEALED,
    TOGETHER_FIRST,
)
from orchestrator.migrations.orders import all_at_once, leader_last, leader_last_if_any, one_by_one
from orchestrator.migrations.table import HTTPS, Advice, Migration, Round, State, Way

# fmt: off
OPENED = State("opened", "speaks http, on a local port too if it has one", (
    is_.listening_locally, is_.serving_http, is_.serving_local_http, is_.holding_no_certificates,
    is_.registered_with_http, is_.healthy,
), overnight="Yes. Only a local port was opened.")
SUPPLIED = State("supplied", "speaks http, and its certificates are on the host", (
    is_.listening_locally, is_.serving_http, is_.serving_local_http, is_.holding_certificates,
    is_.trusting_the_ca, is_.registered_with_http, is_.healthy,
), overnight="Yes. Nothing reads the certificates yet: etcd runs as before, behind a restart too.")
PROVEN = State("proven", "speaks http, and its next start was tried: every peer has reached it over TLS", SUPPLIED.gates,
    overnight="Yes. Its trial has ended or ends by itself, and etcd runs as before.")
# No gate here needs a quorum: in the window there may be none, and a resume has to get through it.
ANNOUNCED = State("announced", "listens on http, while peers are told https: the window", (
    is_.holding_certificates, is_.loaded_with_certificates, is_.registered_for_peers_with_https,
), overnight="No. Members that lose each other now do not find each other again: resume at once.")

# Local clients are not asked yet: in the window their lease renewals through followers time out, and that ends
# only with the last member's restart.
SECURED = State("secured", "speaks https only, while others may still be in the window", (
    is_.holding_certificates, is_.running_with_https, is_.serving_https, is_.serving_local_http,
    is_.refusing_http, is_.refusing_strangers, is_.listed_by_etcdctl_with_certificates,
    is_.reachable_by_every_peer_over_tls, is_.registering_itself_with_https, is_.relayed_to_over_https,
    is_.healthy,
), HTTPS, overnight="No, while others are in the window: they find this member, and not each other. Resume at once.")

WINDOW = Advice(
    "In this window members that lose each other cannot find each other again, and 'member update' cannot fix "
    "it, because it needs a quorum: only rolling forward heals it, and that is what 'run --resume' does",
    is_urgent=True,
)

GUIDE = Migration(
    "guide", "HTTP to HTTPS in the literal order of the CoreOS guide; three restarts and an unsafe window",
    risk=(
        "between the rounds 'announce' and 'switch' every member is registered with https while it listens on "
        "http. One network blip in that window ends the cluster until a member is restarted with https, and "
        "lease renewals through followers time out. The strategy 'bridge' has no such window"
    ),
    losses=CLIENTS_LOSE,
    preflight=CHECKLIST,
    always=(is_.quorate, is_.free_of_alarms),
    rounds=(
        #     round             from             to               order
        Round("open",           PLAINTEXT,       OPENED,          leader_last,
              there=Way((do.register_what_is_listened_with, do.open_local_port, do.restart_if_opened), do.hand_over,
                        away=(is_.away,), advice=NEEDS_NO_QUORUM),
              back=Way((do.close_local_port, do.restart_if_opened), do.hand_over_locally,
                       leader_last_if_any, always=(is_.quorate,), lost=(is_.unserving,), advice=NEEDS_NO_QUORUM)),
        Round("supply",         OPENED,          SUPPLIED,        all_at_once,
              there=Way((do.copy_certificates, do.trust_ca)),
              back=Way((do.distrust_ca, do.remove_certificates))),
        Round("supply-proxies", RELAYING,        RELAYING_STAGED, all_at_once, role="proxy",
              there=Way((do.copy_certificates, do.trust_ca)),
              back=Way((do.distrust_ca, do.remove_certificates))),
        Round("prove",          SUPPLIED,        PROVEN,          all_at_once,
              there=Way((do.try_next_start_out,), proof=(is_.proven_to_every_peer,), is_together=True, advice=PROVING),
              back=Way((do.end_trial,), proof=(is_.free_of_trials,))),
        Round("load",           PROVEN,          ACCEPTING,       leader_last,
              there=Way((do.end_trial, do.watch_clients, do.load_certificates, do.restart), do.hand_over_locally,
                        away=(is_.away,), advice=NEEDS_NO_QUORUM),
              back=Way((do.end_watch, do.unload_certificates, do.restart), do.hand_over_locally,
                       leader_last_if_any, always=(is_.quorate,), lost=(is_.unserving,), advice=NEEDS_NO_QUORUM)),
        Round("secure-proxies", RELAYING_STAGED, RELAYING_SAFELY, one_by_one, role="proxy",
              there=Way((do.relay_with_certificates, do.restart)),
              back=Way((do.relay_as_before, do.restart))),
        Round("announce",       ACCEPTING,       ANNOUNCED,       one_by_one,
              there=Way((do.announce_https,), advice=WINDOW),
              back=Way((do.register_http,), advice=WINDOW)),
        Round("switch",         ANNOUNCED,       SECURED,         leader_last_if_any,
              there=Way((do.listen_on_https, do.restart), do.hand_over_locally, always=(is_.quorate,), lost=(is_.unserving,), advice=WINDOW),
              back=Way((do.listen_on_http, do.restart), do.hand_over_switched, always=(is_.quorate,), lost=(is_.unserving,), advice=WINDOW)),
        Round("watch",          SECURED,         SEALED,          one_by_one,
              there=Way(()),
              back=Way((), gates=(), advice=TOGETHER_FIRST)),
        *AFTERWARDS,
    ),
)
# fmt: on
