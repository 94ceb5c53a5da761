"""What a member's listeners answer: to us, to strangers, and to its peers."""

from collections.abc import Callable, Iterable
from itertools import chain

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import settings
from orchestrator.etcd.api import last_line
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.etcd.listeners import handshake, knock, not_healthy, not_refused
from orchestrator.operations import Answer, Answers, Knock


def _knocking(question: Knock, complaint: str, verdict: Callable[[Answer], str | None]) -> Inquiry:
    def judge(answers: Answers) -> Iterable[str]:
        reason = verdict(answers[question])
        if reason is not None:
            yield f"{complaint}: {question.url}: {reason}"

    return Inquiry((question,), judge)


@gate
def serving_http(subject: Subject) -> Inquiry:
    """The client port answers over plain http, as clients expect it before the switch."""
    question = knock(subject, settings.original_url(subject))
    return _knocking(question, "no healthy answer over http", not_healthy)


@gate
def serving_local_http(subject: Subject) -> Inquiry:
    """The unencrypted port on loopback answers, for fleet, flannel and other local clients."""
    question = knock(subject, settings.local_url(subject))
    return _knocking(question, "no healthy answer on the local port", not_healthy)


def _all(inquiries: Iterable[Inquiry]) -> Inquiry:
    parts = tuple(inquiries)
    return Inquiry(
        tuple(chain.from_iterable(part.questions for part in parts)),
        lambda answers: chain.from_iterable(part.judge(answers) for part in parts),
    )


@gate
def serving_https(subject: Subject) -> Inquiry:
    """Each advertised client URL answers over https to the plan's client certificate."""
    urls = settings.advertised_clients(subject)
    complaint = "no healthy answer over https to the client certificate"
    return _all(_knocking(knock(subject, url, shown=True), complaint, not_healthy) for url in urls)


@gate
def refusing_http(subject: Subject) -> Inquiry:
    """No advertised client URL answers over plain http any more."""
    urls = (url.replace("https://", "http://", 1) for url in settings.advertised_clients(subject))
    return _all(_knocking(knock(subject, url), "still answers plain http", not_refused) for url in urls)


@gate
def refusing_strangers(subject: Subject) -> Inquiry:
    """Without a client certificate, or with a stranger's, nobody is served, unless the plan wants it so."""
    if not subject.cluster.tls.client_cert_auth:
        return Inquiry((), lambda _: ())
    complaints = {False: "serves clients without a certificate", True: "serves a stranger's certificate"}
    return _all(
        _knocking(knock(subject, url, is_stranger=is_stranger), complaint, not_refused)
        for url in settings.advertised_clients(subject)
        for is_stranger, complaint in complaints.items()
    )


@gate
def reachable_by_every_peer_over_tls(subject: Subject) -> Inquiry:
    """Every other member completes a mutual TLS handshake with this one's peer port, with its files in use.

    Two members stay connected while one of them can dial the other, so health says nothing about certificates
    until the last member has switched (etcd 3.4.23 to 3.6.14); only handshakes in every direction do.
    """
    dials = tuple(
        (dialler.name, url, handshake(dialler, url))
        for dialler in subject.others
        for url in settings.peers_https(subject)
    )

    def judge(answers: Answers) -> Iterable[str]:
        for name, url, question in dials:
            answer = answers[question]
            if answer.exit_status != 0 or answer.text.strip() != "200":
                yield f"{name} cannot reach {url} over TLS: {last_line(answer)}"

    return Inquiry(tuple(question for _, _, question in dials), judge)
