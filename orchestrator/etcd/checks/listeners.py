"""What a member's listeners answer, and to whom."""

from collections.abc import Iterable

from orchestrator.etcd import local_port, overlap, settings, stages
from orchestrator.etcd.api.words import WITHOUT_HTTP
from orchestrator.etcd.checks.gate import always_holds, gate
from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.facts import process
from orchestrator.etcd.facts.listeners import handshake, unrefused, unserved
from orchestrator.etcd.facts.members import unlisted
from orchestrator.etcd.facts.process import Process
from orchestrator.host.checks import Check, Remark, fine, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target
from orchestrator.plan.kinds import USUAL_LOCAL_PORT
from orchestrator.text import shown


def _unless(target: Target, reasons: Iterable[tuple[str, Fact[str | None]]]) -> Check:
    """Hold unless one of the facts is a reason; each stands behind what it is a reason for."""
    rows = tuple(reasons)

    def judge(answers: Answers) -> Iterable[Remark]:
        for complaint, fact in rows:
            reason = fact.read(answers)
            if reason is not None:
                yield wrong(f"{complaint}: {reason}")

    return Check(target.name, tuple(fact for _, fact in rows), judge)


_UNSERVED = "no healthy answer over https to the client certificate"


@gate(
    fix=(
        "'quorum' says what to do first (503 is a member without a leader, or an alarm); if it passes: "
        "systemctl status and journalctl of the member's unit say why its client listener does not answer"
    )
)
def serving_http(target: Target) -> Check:
    """The client port answers over plain http, as it did before the switch, and over https if it did."""
    url = settings.original_url(target)
    return _unless(
        target,
        [
            (f"no healthy answer over http: {url}/health", unserved(target, url)),
            *(
                (f"{_UNSERVED}: {each}/health", unserved(target, each, shown=True))
                for each in stages.kept_clients(target)
            ),
        ],
    )


@gate
def serving_local_http(target: Target) -> Check:
    """The unencrypted port on loopback, if there is one, answers fleet, flannel and other local clients."""
    url = local_port.url(target)
    if url is None:
        return always_holds(target)
    return _unless(target, [(f"no healthy answer on the local port: {url}/health", unserved(target, url))])


@gate
def serving_local_http_unless_closed(target: Target) -> Check:
    """The local port answers local clients, unless the plan wants it closed in the end."""
    is_closed = local_port.url(target) in stages.closed_listeners(target)
    return always_holds(target) if is_closed else serving_local_http(target)


@gate
def serving_https_beside_http(target: Target) -> Check:
    """Clients that have come to https before http is closed are served where they came; strangers are not."""
    urls = overlap.served(target)
    is_open = stages.is_asked_last(target)
    return _unless(
        target,
        (
            *((f"{_UNSERVED}: {url}/health", unserved(target, url, shown=True)) for url in urls),
            *(() if is_open else _strangers_served(target, urls)),
        ),
    )


@gate
def serving_https(target: Target) -> Check:
    """Each advertised client URL answers over https to the plan's client certificate."""
    urls = stages.advertised_clients(target)
    return _unless(
        target, ((f"{_UNSERVED}: {url}/health", unserved(target, url, shown=True)) for url in urls)
    )


@gate
def refusing_http(target: Target) -> Check:
    """No advertised client URL answers over plain http any more."""
    urls = (url.replace("https://", "http://", 1) for url in stages.advertised_clients(target))
    return _unless(
        target, ((f"still answers plain http: {url}/health", unrefused(target, url)) for url in urls)
    )


@gate
def refusing_strangers(target: Target) -> Check:
    """Without a client certificate, or with a stranger's, nobody is served, unless the plan wants it so."""
    return _unless(target, _strangers_served(target, stages.advertised_clients(target)))


def _strangers_served(target: Target, urls: Iterable[str]) -> Iterable[tuple[str, Fact[str | None]]]:
    if target.cluster.tls.client_cert_auth:
        for url in urls:
            yield f"serves clients without a certificate: {url}/health", unrefused(target, url)
            yield (
                f"serves a stranger's certificate: {url}/health",
                unrefused(target, url, is_stranger=True),
            )


@gate
def reachable_by_every_peer_over_tls(target: Target) -> Check:
    """Every other member completes a mutual TLS handshake with this one's peer port, with its files in use.

    Two members stay connected while one of them can dial the other, so health says nothing about certificates
    until the last member has switched (etcd 3.4.23 to 3.6.14); only handshakes in every direction do.
    """
    dials = tuple(
        (dialler.name, url, handshake(dialler, url))
        for dialler in target.others
        for url in settings.peers_https(target)
    )

    def judge(answers: Answers) -> Iterable[Remark]:
        for name, url, dial in dials:
            shaken = dial.read(answers)
            if not shaken.is_done:
                yield wrong(f"{name} cannot reach {url} over TLS: {shaken.reason}")

    return Check(target.name, tuple(dial for _, _, dial in dials), judge)


@gate
def listed_by_etcdctl_with_certificates(target: Target) -> Check:
    """On the member's host etcdctl lists it over https, with certificates by flags and by variables."""
    return _unless(target, ((url, unlisted(target, url)) for url in stages.advertised_clients(target)))


def asked_over_http(site: Site) -> Iterable[Check]:
    """Ask each member for its client listeners: one of them has to speak http."""
    return map(_asked_over_http, site.members)


def _asked_over_http(target: Target) -> Check:
    runs = process.running(target)

    def judge(answers: Answers) -> Iterable[Remark]:
        running = runs.read(answers)
        silent = over_https_only(target, running)
        if silent is not None:
            reported, fix = silent
            yield wrong(reported, f"{fix} (then check again)")
            return
        spoken = _over_http(running)
        # 'unit' says what is wrong with one that does not run
        yield fine(f"asked at {settings.loopback(spoken[-1])}" if spoken else "it does not run")

    return Check(target.name, (runs,), judge)


def _over_http(running: Process) -> list[str]:
    urls = settings.current(running.settings, settings.LISTEN_CLIENT)
    return [url for url in urls if url.startswith("http://")]


def over_https_only(target: Target, running: Process) -> tuple[str, str] | None:
    """Say why a member that runs cannot be asked, and how it comes to be; None if it can.

    What the member has secured it keeps by that.
    """
    if _over_http(running) or not running.pid:
        return None
    urls = settings.current(running.settings, settings.LISTEN_CLIENT)
    unit, port = f"{target.etcd.service}.service", target.cluster.local_port or USUAL_LOCAL_PORT
    wanted = shown(",".join((*urls, f"http://127.0.0.1:{port}")), quote="", limit=400)
    reason = f"{WITHOUT_HTTP} ({shown(','.join(urls), quote='', limit=300)}), so it cannot be asked"
    fix = (
        "what speaks https with a certificate of its own is kept, once there is an http listener on loopback "
        f"beside it: on {target.name}, where ETCD_LISTEN_CLIENT_URLS is set (systemctl cat {unit} shows "
        f"where), let it be {wanted} and then, as root: systemctl daemon-reload && systemctl restart {unit}"
    )
    return reason, fix
