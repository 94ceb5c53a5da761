"""Gates as commands that a person can run on a host, where there are such; the others as a plain sentence."""

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from orchestrator.etcd import endpoints, settings, stages, trial
from orchestrator.etcd.endpoints import Endpoint
from orchestrator.etcd.settings import Paths
from orchestrator.plan.facts import Target

_TRIES = 60
_CURL = ("curl", "--http1.1", "-fsS", "--noproxy", "*", "-m", "5")  # etcd breaks off HTTP/2 on a peer's port
_WITHOUT_FILES = {"holding no certificates"}
Command = Callable[[Target, Endpoint], str]


def endpoint_of(target: Target, gates: Iterable[str]) -> Endpoint:
    """Return the listener through which the host is asked where these gates hold."""
    found = set(gates)
    if found & {"serving https", "advertising https"}:
        return endpoints.at_the_end(target)  # which is there from the switch on
    return (
        endpoints.before_switch(target) if "loaded with certificates" in found else endpoints.as_found(target)
    )


def commands(target: Target, gates: Iterable[str]) -> Iterable[str]:
    """Return what has to succeed on the host, each of it tried for a minute."""
    endpoint = endpoint_of(target, gates)
    table = _V3 if target.facts.api == "v3" else _V2
    for name in gates:
        if name in table:
            yield waiting(table[name](target, endpoint))
    if "quorate" in gates and target.facts.api == "v3" and target.name in target.facts.members:
        yield waiting(_every_member(target, endpoint, has_files=not _WITHOUT_FILES & set(gates)))


def left(target: Target, gates: Iterable[str]) -> tuple[str, ...]:
    """Return the gates for which there is no such command."""
    table = _V3 if target.facts.api == "v3" else _V2
    asked = "quorate" if target.facts.api == "v3" else ""
    return tuple(name for name in gates if name not in {*table, asked})


def waiting(command: str) -> str:
    """Return a command that is tried until it succeeds, and fails after a minute."""
    count = f'tries=$((tries + 1)); [ "$tries" -lt {_TRIES} ] || exit 1; sleep 1'
    return f"tries=0; until {command}; do {count}; done"


def trials_reached(target: Target) -> Iterable[str]:
    """Return what shows that every other member's trial is reached over TLS from this host."""
    paths = Paths.of(target)
    for other in target.others:
        for url in trial.urls(other):
            shown = ("--cacert", paths.ca, "--cert", paths.certificate, "--key", paths.key)
            yield waiting(shlex.join((*_CURL, *shown, f"{url}/version")))


def _etcdctl(endpoint: Endpoint, *words: str) -> str:
    return f"ETCDCTL_API=3 {shlex.join(('etcdctl', *endpoint.v3, *words))}"


def _every_member(target: Target, endpoint: Endpoint, *, has_files: bool) -> str:
    """Ask every member where it says that clients find it; some may speak https already."""
    shown = replace(endpoint, paths=Paths.of(target)) if has_files else endpoint
    return _etcdctl(shown, "endpoint", "health", "--cluster")


def _healthy(target: Target, endpoint: Endpoint) -> str:
    del target
    return _etcdctl(endpoint, "endpoint", "health")


def _free_of_alarms(target: Target, endpoint: Endpoint) -> str:
    del target
    return f'[ -z "$({_etcdctl(endpoint, "alarm", "list")})" ]'


def _registered(peers: Callable[[Target], tuple[str, ...]]) -> Command:
    def command(target: Target, endpoint: Endpoint) -> str:
        urls = ",".join(sorted(peers(target)))
        listed = _etcdctl(endpoint, "member", "list")
        return f"{listed} | grep -F -- {shlex.quote(f', {urls}, ')}"

    return command


def _serving_http(target: Target, endpoint: Endpoint) -> str:
    del endpoint
    return shlex.join((*_CURL, f"{settings.original_url(target)}/health"))


def _serving_https(target: Target, endpoint: Endpoint) -> str:
    del endpoint
    paths = Paths.of(target)
    shown = ("--cacert", paths.ca, "--cert", paths.certificate, "--key", paths.key)
    return " && ".join(
        shlex.join((*_CURL, *shown, f"{url}/health")) for url in stages.advertised_clients(target)
    )


def _refusing_http(target: Target, endpoint: Endpoint) -> str:
    del endpoint
    urls = (url.replace("https://", "http://", 1) for url in stages.advertised_clients(target))
    return " && ".join(f"! {shlex.join((*_CURL, f'{url}/health'))}" for url in urls)


def _cluster_health(target: Target, endpoint: Endpoint) -> str:
    del target
    return f"ETCDCTL_API=2 {shlex.join(('etcdctl', *endpoint.v2, 'cluster-health'))}"


_HTTP: Mapping[str, Command] = {
    "serving http": _serving_http,
    "serving https": _serving_https,
    "refusing http": _refusing_http,
}
_V3: Mapping[str, Command] = {
    **_HTTP,
    "healthy": _healthy,
    "free of alarms": _free_of_alarms,
    "registered with http": _registered(settings.peers_before),
    "registered with both schemes": _registered(settings.peers_both),
    "registered with https only": _registered(settings.peers_https),
}
_V2: Mapping[str, Command] = {**_HTTP, "healthy": _cluster_health}
