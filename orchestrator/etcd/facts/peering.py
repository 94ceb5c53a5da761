"""Peer URLs as the registry has them against the listeners of the running process: both have to agree.

A member that is registered with another scheme than it listens with stays connected for as long as its
streams last, and cannot come back after its next restart (docs/etcd-facts.md).
"""

import shlex
from collections.abc import Iterable

from orchestrator.etcd import endpoints, schemes, settings
from orchestrator.etcd.api.words import Api
from orchestrator.etcd.settings import Settings
from orchestrator.host.operations import Run
from orchestrator.plan.facts import Target


def spoken(urls: Iterable[str], environment: Settings) -> tuple[str, ...]:
    """Return the same places in the scheme that the process listens with there, each of them once."""
    return schemes.spoken(urls, settings.current(environment, settings.LISTEN_PEER))


def unspoken(urls: Iterable[str], environment: Settings) -> tuple[str, ...]:
    """Return the URLs whose scheme nobody listens with."""
    registered = tuple(urls)
    heard = spoken(registered, environment)
    return tuple(url for url in registered if url not in heard)


def repairs(targets: Iterable[Target]) -> Iterable[str]:
    """Say which members are registered with another scheme than they listen with, and with what instead."""
    for one in targets:
        found, right = one.member.peer_urls, settings.peers_before(one)
        if set(found) != set(right):
            yield f"{one.name}: registered with {','.join(found)}, and listens for {','.join(right)}"


def command(target: Target, api: Api, member_id: str, urls: tuple[str, ...], environment: Settings) -> str:
    """Return the command, for the member's own host, that registers it with the scheme it listens with."""
    endpoint = endpoints.of(target, environment)
    return spelled(api.update_peers(member_id, spoken(urls, environment), endpoint))


def spelled(run: Run) -> str:
    """Return a command as a shell takes it."""
    variables = (f"{name}={shlex.quote(str(value))}" for name, value in run.environment)
    return " ".join((*variables, shlex.join(run.argv)))
