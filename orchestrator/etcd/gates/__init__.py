"""The gates of a migration: each is observably true of a member, or says why it is not.

They look at the running process, at what its listeners answer, and at the registry as every member sees it;
never at what a command claimed to have done.
"""

from orchestrator.etcd.gates.agreeing import (
    advertising_https,
    free_of_alarms,
    healthy,
    quorate,
    registered_with_both_schemes,
    registered_with_http,
    registered_with_https_only,
)
from orchestrator.etcd.gates.answering import (
    reachable_by_every_peer_over_tls,
    refusing_http,
    refusing_strangers,
    serving_http,
    serving_https,
    serving_local_http,
)
from orchestrator.etcd.gates.settled import (
    configured_by_environment,
    free_of_other_files,
    holding_certificates,
    holding_no_certificates,
    loaded_with_certificates,
    running_as_found,
    running_with_http,
    running_with_https,
)

__all__ = [
    "advertising_https",
    "configured_by_environment",
    "free_of_alarms",
    "free_of_other_files",
    "healthy",
    "holding_certificates",
    "holding_no_certificates",
    "loaded_with_certificates",
    "quorate",
    "reachable_by_every_peer_over_tls",
    "refusing_http",
    "refusing_strangers",
    "registered_with_both_schemes",
    "registered_with_http",
    "registered_with_https_only",
    "running_as_found",
    "running_with_http",
    "running_with_https",
    "serving_http",
    "serving_https",
    "serving_local_http",
]
