"""Through which listener a member is driven on its own host, and which certificates are shown there."""

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.etcd import kept, local_port, login, settings, stages
from orchestrator.etcd.settings import Paths, Settings
from orchestrator.host.operations import Secret
from orchestrator.plan.facts import Target


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A client listener; over https ``paths`` says where the CA, and what we show, lie on the host.

    ``login`` is the user as whom etcd is asked, with the password, as etcdctl takes them.
    """

    url: str
    paths: Paths | None = None
    login: Secret | None = None

    @property
    def curl(self) -> tuple[str, ...]:
        """Words of curl for it, beside the URL."""
        return self._words("--cacert", "--cert", "--key")

    @property
    def v2(self) -> tuple[str, ...]:
        """Flags of etcdctl for it, through the v2 interface."""
        return ("--endpoints", self.url, *self._words("--ca-file", "--cert-file", "--key-file"))

    @property
    def v3(self) -> tuple[str, ...]:
        """Flags of etcdctl for it, through the v3 interface."""
        words = self._words("--cacert", "--cert", "--key")
        pairs = zip(words[::2], words[1::2], strict=True)
        return (f"--endpoints={self.url}", *(f"{flag}={path}" for flag, path in pairs))

    def _words(self, *flags: str) -> tuple[str, ...]:
        paths = self.paths.material if self.paths else ()
        return tuple(word for pair in zip(flags, paths, strict=False) for word in pair)


def as_found(target: Target) -> Endpoint:
    """Return the listener that the member had from the start; it speaks http until the switch."""
    return _at(target, settings.original_url(target))


def before_switch(target: Target) -> Endpoint:
    """Return the listener for a member that is not switched yet: its local port, if it has one by then."""
    return _at(target, local_port.url(target) or settings.original_url(target))


def after_switch(target: Target) -> Endpoint:
    """Return the listener for a member that is switched: its local port, or over https if it has none."""
    local = local_port.url(target)
    return _at(target, local) if local else of(target, stages.tls_listeners(target))


def at_the_end(target: Target) -> Endpoint:
    """Return the listener for a member as the migration leaves it."""
    return of(target, {**stages.tls_listeners(target), **stages.closed(target)})


def of(target: Target, environment: Settings) -> Endpoint:
    """Return the listener for a process with these settings: the last that speaks http, or over https.

    Over https the URL is one that the member advertises, because its certificate names that, and if possible
    one that it listens on itself.
    """
    listeners = settings.current(environment, settings.LISTEN_CLIENT)
    advertised = settings.current(environment, settings.ADVERTISE_CLIENT)
    spoken = [url for url in listeners if url.startswith("http://")]
    if spoken:
        return _at(target, settings.loopback(spoken[-1]))
    secured = kept.https(advertised)
    url = _first((url for url in secured if url in listeners), (*secured, settings.loopback(listeners[0])))
    return _at(target, url, Paths.of(target))


def _at(target: Target, url: str, paths: Paths | None = None) -> Endpoint:
    return Endpoint(url, paths, login.of(target.cluster))


def _first(preferred: Iterable[str], others: Iterable[str]) -> str:
    return next(iter((*preferred, *others)))
