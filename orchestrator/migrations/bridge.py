"""The bridge: from HTTP to HTTPS by way of peer URLs registered in both schemes, so that any fault heals.

Measured on etcd 2.3.8, 3.3.25, 3.4.23, 3.5.1, 3.5.30 and 3.6.14: no failed write, and every member healthy again
at once after all peer connections were cut behind each round (docs/etcd-facts.md).
"""

from orchestrator.etcd import actions as do
from orchestrator.etcd import checks as is_
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.migrations.orders import all_at_once, in_turn, leader_last, leader_last_if_any, one_by_one
from orchestrator.migrations.table import (
    BOTH,
    HTTPS,
    RELAYS,
    SERVES_NOBODY,
    Advice,
    Migration,
    Round,
    State,
    Wanted,
    Way,
)

# fmt: off
PLAINTEXT = State("plaintext", "speaks http, as it always did", (
    is_.configured_as_found, is_.running_with_http, is_.running_as_found, is_.serving_http,
    is_.holding_no_certificates, is_.free_of_other_files, is_.registered_as_found, is_.healthy,
), overnight="Yes. Nothing of it was changed.")
STAGED = State("staged", "speaks http, and its certificates are on the host", (
    is_.running_as_found, is_.serving_http, is_.holding_certificates, is_.trusting_the_ca,
    is_.registered_with_http, is_.healthy,
), overnight="Yes. Nothing reads the certificates yet: etcd runs as before, behind a restart too.")
PROVEN = State("proven", "speaks http, and its next start was tried: every peer has reached it over TLS", STAGED.gates,
    overnight="Yes. Its trial has ended or ends by itself, and etcd runs as before.")
# What serves nobody over https may be the reason to go back: on that way it is not asked for.
LOADED = (
    is_.holding_certificates, is_.loaded_with_certificates, is_.serving_http, is_.serving_local_http,
)
ACCEPTING = State("accepting", "speaks http, and can dial peers that speak https", (
    *LOADED, is_.serving_https_beside_http, is_.registered_with_http, is_.healthy,
), BOTH, overnight="Yes. Its peers are spoken to over http as before, behind a restart too.")
IN_BOTH_SCHEMES = (is_.registered_with_both_schemes, is_.known_to_every_proxy_in_both_schemes, is_.healthy)
BRIDGED = State("bridged", "speaks http, and peers know it in both schemes", (
    *LOADED, is_.serving_https_beside_http, *IN_BOTH_SCHEMES,
), BOTH, overnight="Yes. An attempt with the wrong scheme logs a warning, and the other scheme is tried next.")
MOVED = State("moved", "speaks http and https, and its host's clients that the plan moves use https", (
    *BRIDGED.gates, is_.holding_client_files, is_.client_units_active, is_.client_units_healthy,
), BOTH, overnight="Yes. Both schemes are served, and the clients that the plan moved are well.")
SWITCHED = State("switched", "speaks https only, and peers still know it in both schemes", (
    is_.holding_certificates, is_.running_with_https, is_.serving_https, is_.serving_https_beside_http, is_.serving_local_http,
    is_.refusing_http, is_.refusing_strangers, is_.listed_by_etcdctl_with_certificates,
    is_.reachable_by_every_peer_over_tls, is_.advertising_https, is_.relayed_to_over_https,
    is_.local_clients_healthy, is_.healthy,
), HTTPS, overnight="Yes. An attempt with the wrong scheme logs a warning; until 'sealed' a peer may fall back to http.")
SPEAKING_HTTPS_ONLY = (
    is_.serving_https, is_.serving_local_http_unless_closed,
    is_.refusing_http, is_.refusing_strangers, is_.listed_by_etcdctl_with_certificates,
    is_.reachable_by_every_peer_over_tls, is_.registered_with_https_only, is_.relayed_to_over_https,
    is_.known_to_every_proxy_in_https,
    is_.local_clients_healthy, is_.healthy,
)
SEALED = State("sealed", "speaks https only, and peers know it in https only", (
    is_.holding_certificates, is_.running_with_https, is_.serving_https_beside_http, is_.serving_local_http,
    *SPEAKING_HTTPS_ONLY,
), HTTPS, overnight="Yes. Most plans end here.")
CLOSED = State("closed", "speaks https only, and has closed the ports that were there for those who moved", (
    is_.holding_certificates, is_.running_with_ports_closed, *SPEAKING_HTTPS_ONLY,
), HTTPS, overnight="Yes. Nobody uses the ports that were closed.")
EDITED = State("edited", "speaks https only, and your own files say so beside ours", (
    is_.holding_certificates, is_.own_files_edited, *SPEAKING_HTTPS_ONLY,
), HTTPS, overnight="Yes. Your files and ours say the same.")
SETTLED = State("settled", "speaks https only, as your own files say; ours are gone", (
    is_.holding_certificates, is_.running_from_own_files, *SPEAKING_HTTPS_ONLY,
), HTTPS, overnight="Yes. The plan ends here.")

# The files of the clients on a host are theirs again, and they are well with them.
GIVEN_BACK = (
    *LOADED, *IN_BOTH_SCHEMES, is_.holding_client_files_as_found, is_.client_units_active, is_.client_units_healthy,
)
# Behind a restart on the way back others may still be down: they are not asked, and what they know has not changed.
BACK_ON_HTTP = (*LOADED, is_.healthy)

# How a client fares is asked behind its own step alone: what ails it must not hold up the members.
CALLING = State("calling", "runs clients with the files that they always had", (is_.holding_client_files_as_found,),
                SERVES_NOBODY, overnight="Yes. Nothing of it was changed.")
CALLING_SAFELY = State("calling-safely", "runs clients that use https, with the files that the plan gives them", (
    is_.holding_client_files,
), SERVES_NOBODY, overnight="Yes. Both schemes are served, and its clients are well.")
FARING_WELL = (is_.client_units_active, is_.client_units_healthy)

RELAYING = State("relaying", "relays to members over http, as it always did", (
    is_.relaying_as_found, is_.holding_no_certificates, is_.relaying_reads,
), RELAYS, overnight="Yes. Nothing of it was changed.")
RELAYING_STAGED = State("relaying-staged", "relays as before, and its certificates are on the host", (
    is_.relaying_as_found, is_.holding_certificates, is_.trusting_the_ca, is_.relaying_reads,
), RELAYS, overnight="Yes. Nothing reads the certificates yet.")
RELAYING_SAFELY = State("relaying-safely", "relays to members over http or https, for its own host only", (
    is_.relaying_with_certificates, is_.holding_certificates, is_.trusting_the_ca, is_.relaying_reads,
), RELAYS, overnight="Yes. It reaches members in either scheme.")

NO_UPDATE = "Without a quorum etcd takes no 'member update'"
BACK_TO_HTTP = Advice(f"{NO_UPDATE}: start the members that are down first; all of them still speak http")
BACK_BY_RESTART = Advice(
    f"{NO_UPDATE}: start the members that are down first. If they run and do not find each other, the way back needs "
    "no quorum: 'rollback' restarts members with http, by which all are still known"
)
NEEDS_NO_QUORUM = Advice(
    "A restart needs no quorum: 'run --resume' restarts the member anew, once what its journal complains of is put "
    "right, and 'rollback' restarts it with its settings from before the first change"
)
START_FIRST = Advice(
    "Each restart with http brings its member together with those that run, but one that runs alone has no quorum: "
    "start the members that are down first"
)
TOGETHER_FIRST = Advice(
    f"{NO_UPDATE}, and members are known by https only: bring them together first. Certificates that have expired "
    "are fixed by new ones in their place, which etcd reads at every handshake, without a restart"
)

PROVING = Advice(
    "No member was restarted. A setting, an address, a route or a firewall is put right where it is; for other certificates "
    "roll back first, put them in their places, and run anew: a run keeps to the files that it began with",
    is_urgent=True,
)

CLIENTS_FILES = Advice(
    "No member is restarted, and http and https are both served: a client that is not well has its files back with "
    "'rollback', byte for byte, and a file that somebody has changed since the review stays as it is"
)

OWN_FILES = Advice(
    "Every member speaks https, and nothing is restarted: a file of yours that was changed since the run began "
    "stays as it is"
)

CLIENTS_LOSE = (
    "from the round 'switch' on a member's client port speaks https only, member by member; "
    "a local port on loopback stays as it is where there is one (ports.local), unless the plan closes it in the end "
    "(clients.close)"
)

PORTS_CLOSED = Wanted("clients.close", lambda cluster: bool(cluster.clients.close))
CLIENTS_MOVED = Wanted("clients.units", lambda cluster: any(cluster.clients.units_on(one.name) for one in cluster.members))
CLIENTS_MOVED_ELSEWHERE = Wanted("clients.hosts", lambda cluster: bool(cluster.clients.hosts))
OWN_FILES_EDITED = Wanted("persist: in_place", lambda cluster: cluster.persist == "in_place")

# Only once every member is sealed are ports closed that were there for those who moved, and do the operator's
# own files come to say all of it; ours win until they are gone.
AFTERWARDS = (
    #     round             from             to               order
    Round("close",          SEALED,          CLOSED,          leader_last, wanted=PORTS_CLOSED,
          there=Way((do.end_watch, do.close_ports, do.restart_if_closed), do.hand_over_at_the_end,
                    before=(is_.closed_ports_not_used_now, is_.closed_ports_unused), away=(is_.away,), repeats=True,
                    advice=NEEDS_NO_QUORUM),
          back=Way((do.watch_clients, do.open_ports_again, do.restart_if_closed), do.hand_over_at_the_end,
                   leader_last_if_any, always=(is_.quorate,), lost=(is_.unserving,), advice=NEEDS_NO_QUORUM)),
    Round("edit",           CLOSED,          EDITED,          one_by_one, wanted=OWN_FILES_EDITED,
          there=Way((do.edit_own_files,), advice=OWN_FILES),
          back=Way((do.put_own_files_back,), advice=OWN_FILES)),
    Round("settle",         EDITED,          SETTLED,         one_by_one, wanted=OWN_FILES_EDITED,
          there=Way((do.take_ours_away,), advice=OWN_FILES),
          back=Way((do.put_ours_back, do.restart_if_file_may_change), do.hand_over_at_the_end, leader_last_if_any,
                   always=(is_.quorate,), lost=(is_.unserving,), advice=NEEDS_NO_QUORUM)),
)

# A watcher begins, and ends, before what its round is about: once that is seen, a step is done without its job,
# unless its way says that it repeats.
BRIDGE = Migration(
    "bridge", "HTTP to HTTPS; any single fault at any moment heals by itself or by a resume",
    losses=CLIENTS_LOSE,
    overlaps=True,
    preflight=CHECKLIST,
    always=(is_.quorate, is_.free_of_alarms),
    rounds=(
        #     round             from             to               order
        Round("stage",          PLAINTEXT,       STAGED,          all_at_once,
              there=Way((do.register_what_is_listened_with, do.copy_certificates, do.trust_ca)),
              back=Way((do.distrust_ca, do.remove_certificates))),
        Round("stage-proxies",  RELAYING,        RELAYING_STAGED, all_at_once, role="proxy",
              there=Way((do.copy_certificates, do.trust_ca)),
              back=Way((do.distrust_ca, do.remove_certificates))),
        Round("prove",          STAGED,          PROVEN,          all_at_once,
              there=Way((do.try_next_start_out,), proof=(is_.proven_to_every_peer,), is_together=True, advice=PROVING),
              back=Way((do.end_trial,), proof=(is_.free_of_trials,))),
        Round("accept",         PROVEN,          ACCEPTING,       leader_last,
              there=Way((do.end_trial, do.watch_clients, do.open_local_port, do.load_certificates, do.serve_both_schemes,
                         do.restart), do.hand_over,
                        away=(is_.away,), advice=NEEDS_NO_QUORUM),
              back=Way((do.end_watch, do.serve_http_alone, do.unload_certificates, do.close_local_port, do.restart), do.hand_over_locally,
                       leader_last_if_any, always=(is_.quorate,), lost=(is_.unserving,), advice=NEEDS_NO_QUORUM)),
        Round("secure-proxies", RELAYING_STAGED, RELAYING_SAFELY, one_by_one, role="proxy",
              there=Way((do.relay_with_certificates, do.restart)),
              back=Way((do.relay_as_before, do.restart))),
        Round("bridge",         ACCEPTING,       BRIDGED,         in_turn,
              there=Way((do.register_both_schemes,), advice=BACK_TO_HTTP),
              back=Way((do.register_http,), gates=(*LOADED, is_.registered_with_http, is_.healthy),
                       advice=BACK_TO_HTTP)),
        Round("move-clients",   BRIDGED,         MOVED,           one_by_one, wanted=CLIENTS_MOVED,
              there=Way((do.move_clients,), repeats=True, deadline_s=300.0, advice=CLIENTS_FILES),
              back=Way((do.move_clients_back,), gates=GIVEN_BACK, repeats=True, deadline_s=300.0, advice=CLIENTS_FILES)),
        Round("move-clients-elsewhere", CALLING, CALLING_SAFELY,  one_by_one, role="client host", wanted=CLIENTS_MOVED_ELSEWHERE,
              there=Way((do.move_clients,), gates=(*CALLING_SAFELY.gates, *FARING_WELL), repeats=True, deadline_s=300.0,
                        advice=CLIENTS_FILES),
              back=Way((do.move_clients_back,), gates=(*CALLING.gates, *FARING_WELL), repeats=True, deadline_s=300.0,
                       advice=CLIENTS_FILES)),
        Round("switch",         MOVED,           SWITCHED,        leader_last,
              there=Way((do.listen_on_https, do.restart), do.hand_over,
                        before=(is_.not_spoken_to_in_http, is_.free_of_plain_clients), away=(is_.away,),
                        advice=BACK_BY_RESTART),
              back=Way((do.watch_clients, do.listen_on_http, do.restart), do.hand_over_switched, leader_last_if_any,
                       always=(is_.quorate,), lost=(is_.unserving,), gates=BACK_ON_HTTP, advice=START_FIRST)),
        Round("seal",           SWITCHED,        SEALED,          in_turn,
              there=Way((do.end_watch_unless_ports_close, do.register_https), repeats=True, advice=BACK_BY_RESTART),
              back=Way((do.register_both_schemes_again,), gates=(is_.advertising_https,), advice=TOGETHER_FIRST)),
        *AFTERWARDS,
    ),
)
# fmt: on
