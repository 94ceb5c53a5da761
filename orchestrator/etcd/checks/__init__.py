"""Pure predicates over facts, one module a target; here are the gates of states, preflight.py has the rest.

They look at the running process, at what its listeners answer, and at the registry as every member sees it;
never at what a command claimed to have done.
"""

from orchestrator.etcd.checks.client_units import (
    client_units_active,
    client_units_healthy,
    holding_client_files,
    holding_client_files_as_found,
)
from orchestrator.etcd.checks.health import away, free_of_alarms, healthy, quorate, unserving
from orchestrator.etcd.checks.host import trusting_the_ca
from orchestrator.etcd.checks.in_place import own_files_edited, running_from_own_files
from orchestrator.etcd.checks.listeners import (
    listed_by_etcdctl_with_certificates,
    reachable_by_every_peer_over_tls,
    refusing_http,
    refusing_strangers,
    serving_http,
    serving_https,
    serving_https_beside_http,
    serving_local_http,
    serving_local_http_unless_closed,
)
from orchestrator.etcd.checks.local_clients import local_clients_healthy
from orchestrator.etcd.checks.plain_clients import (
    closed_ports_not_used_now,
    closed_ports_unused,
    free_of_plain_clients,
    not_spoken_to_in_http,
)
from orchestrator.etcd.checks.proving import free_of_trials, proven_to_every_peer
from orchestrator.etcd.checks.registry import (
    advertising_https,
    registered_as_found,
    registered_for_peers_with_https,
    registered_with_both_schemes,
    registered_with_http,
    registered_with_https_only,
    registering_itself_with_https,
)
from orchestrator.etcd.checks.relaying import (
    known_to_every_proxy_in_both_schemes,
    known_to_every_proxy_in_https,
    relayed_to_over_https,
    relaying_as_found,
    relaying_reads,
    relaying_with_certificates,
)
from orchestrator.etcd.checks.settled import (
    configured_as_found,
    free_of_other_files,
    holding_certificates,
    holding_no_certificates,
    listening_locally,
    loaded_with_certificates,
    running_as_found,
    running_with_http,
    running_with_https,
    running_with_ports_closed,
)

__all__ = [
    "advertising_https",
    "away",
    "client_units_active",
    "client_units_healthy",
    "closed_ports_not_used_now",
    "closed_ports_unused",
    "configured_as_found",
    "free_of_alarms",
    "free_of_other_files",
    "free_of_plain_clients",
    "free_of_trials",
    "healthy",
    "holding_certificates",
    "holding_client_files",
    "holding_client_files_as_found",
    "holding_no_certificates",
    "known_to_every_proxy_in_both_schemes",
    "known_to_every_proxy_in_https",
    "listed_by_etcdctl_with_certificates",
    "listening_locally",
    "loaded_with_certificates",
    "local_clients_healthy",
    "not_spoken_to_in_http",
    "own_files_edited",
    "proven_to_every_peer",
    "quorate",
    "reachable_by_every_peer_over_tls",
    "refusing_http",
    "refusing_strangers",
    "registered_as_found",
    "registered_for_peers_with_https",
    "registered_with_both_schemes",
    "registered_with_http",
    "registered_with_https_only",
    "registering_itself_with_https",
    "relayed_to_over_https",
    "relaying_as_found",
    "relaying_reads",
    "relaying_with_certificates",
    "running_as_found",
    "running_from_own_files",
    "running_with_http",
    "running_with_https",
    "running_with_ports_closed",
    "serving_http",
    "serving_https",
    "serving_https_beside_http",
    "serving_local_http",
    "serving_local_http_unless_closed",
    "trusting_the_ca",
    "unserving",
]
