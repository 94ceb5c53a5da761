"""What a member's listeners answer: to us, to strangers, and to its peers."""

from collections.abc import Iterable

from orchestrator.etcd import settings
from orchestrator.etcd.asking import always_holds, gate
from orchestrator.etcd.facts.listeners import handshake, unrefused, unserved
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Subject

Asked = tuple[str, str, Fact[str | None]]  # a complaint, the URL that was asked, and why it may be made


def _asking(subject: Subject, asked: Iterable[Asked]) -> Check:
    rows = tuple(asked)

    def judge(answers: Answers) -> Iterable[Remark]:
        for complaint, url, fact in rows:
            reason = fact.read(answers)
            if reason is not None:
                yield wrong(f"{complaint}: {url}/health: {reason}")

    return Check(subject.name, tuple(fact for _, _, fact in rows), judge)


@gate
def serving_http(subject: Subject) -> Check:
    """The client port answers over plain http, as clients expect it before the switch."""
    url = settings.original_url(subject)
    return _asking(subject, [("no healthy answer over http", url, unserved(subject, url))])


@gate
def serving_local_http(subject: Subject) -> Check:
    """The unencrypted port on loopback answers, for fleet, flannel and other local clients."""
    url = settings.local_url(subject)
    return _asking(subject, [("no healthy answer on the local port", url, unserved(subject, url))])


@gate
def serving_https(subject: Subject) -> Check:
    """Each advertised client URL answers over https to the plan's client certificate."""
    urls = settings.advertised_clients(subject)
    complaint = "no healthy answer over https to the client certificate"
    return _asking(subject, ((complaint, url, unserved(subject, url, shown=True)) for url in urls))


@gate
def refusing_http(subject: Subject) -> Check:
    """No advertised client URL answers over plain http any more."""
    urls = (url.replace("https://", "http://", 1) for url in settings.advertised_clients(subject))
    return _asking(subject, (("still answers plain http", url, unrefused(subject, url)) for url in urls))


@gate
def refusing_strangers(subject: Subject) -> Check:
    """Without a client certificate, or with a stranger's, nobody is served, unless the plan wants it so."""
    if not subject.cluster.tls.client_cert_auth:
        return always_holds(subject)
    complaints = {False: "serves clients without a certificate", True: "serves a stranger's certificate"}
    return _asking(
        subject,
        (
            (complaint, url, unrefused(subject, url, is_stranger=is_stranger))
            for url in settings.advertised_clients(subject)
            for is_stranger, complaint in complaints.items()
        ),
    )


@gate
def reachable_by_every_peer_over_tls(subject: Subject) -> Check:
    """Every other member completes a mutual TLS handshake with this one's peer port, with its files in use.

    Two members stay connected while one of them can dial the other, so health says nothing about certificates
    until the last member has switched (etcd 3.4.23 to 3.6.14); only handshakes in every direction do.
    """
    dials = tuple(
        (dialler.name, url, handshake(dialler, url))
        for dialler in subject.others
        for url in settings.peers_https(subject)
    )

    def judge(answers: Answers) -> Iterable[Remark]:
        for name, url, dial in dials:
            shaken = dial.read(answers)
            if not shaken.is_done:
                yield wrong(f"{name} cannot reach {url} over TLS: {shaken.reason}")

    return Check(subject.name, tuple(dial for _, _, dial in dials), judge)
