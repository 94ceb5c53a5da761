"""Peer URLs as the registry has them against the listeners of the running process: both have to agree.

A member that is registered with another scheme than it listens with stays connected for as long as its
streams last, and cannot come back after its next restart (docs/etcd-facts.md).
"""

import shlex
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from orchestrator.etcd import endpoints, settings
from orchestrator.etcd.api.words import Api
from orchestrator.etcd.settings import Settings
from orchestrator.host.operations import Run
from orchestrator.plan.facts import Target

_SCHEMES = ("http://", "https://")


def spoken(urls: Iterable[str], environment: Settings) -> tuple[str, ...]:
    """Return the same places in the scheme that the process listens with there, each of them once.

    A port that no listener has (behind NAT, say) is taken to lead to the listeners there are, if they agree.
    """
    by_port = _schemes(environment)
    schemes = set(by_port.values())
    other = schemes.pop() if len(schemes) == 1 else None
    return tuple(dict.fromkeys(_in_scheme(url, by_port.get(urlsplit(url).port) or other) for url in urls))


def unspoken(urls: Iterable[str], environment: Settings) -> tuple[str, ...]:
    """Return the URLs whose scheme nobody listens with."""
    registered = tuple(urls)
    heard = spoken(registered, environment)
    return tuple(url for url in registered if url not in heard)


def command(target: Target, api: Api, member_id: str, urls: tuple[str, ...], environment: Settings) -> str:
    """Return the command, for the member's own host, that registers it with the scheme it listens with."""
    endpoint = endpoints.of(target, environment)
    return spelled(api.update_peers(member_id, spoken(urls, environment), endpoint))


def spelled(run: Run) -> str:
    """Return a command as a shell takes it."""
    variables = (f"{name}={shlex.quote(str(value))}" for name, value in run.environment)
    return " ".join((*variables, shlex.join(run.argv)))


def _schemes(environment: Settings) -> Mapping[int | None, str]:
    """Scheme of each peer listener, by its port."""
    urls = settings.current(environment, settings.LISTEN_PEER)
    return {urlsplit(url).port: urlsplit(url).scheme for url in urls}


def _in_scheme(url: str, scheme: str | None) -> str:
    return url if scheme is None or not url.startswith(_SCHEMES) else f"{scheme}://{url.partition('://')[2]}"
