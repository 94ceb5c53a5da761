"""The gates of a migration: each is observably true of a member, or says why it is not.

They look at the running process, at what its listeners answer, and at the registry as every member sees it;
never at what a command claimed to have done.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain

from orchestrator.cluster.facts import Subject
from orchestrator.etcd import etcdctl, files, process, settings
from orchestrator.etcd.asking import Inquiry, gate
from orchestrator.etcd.listeners import handshake, knock, not_healthy, not_refused
from orchestrator.etcd.settings import Paths
from orchestrator.operations import Answer, Answers, Check, Knock, Write

MAX_LAG = (
    1000  # raft entries a member may be behind: a busy cluster writes about that in the time of one look
)


@gate
def configured_by_environment(subject: Subject) -> Inquiry:
    """Flags beat variables and a configuration file hides both: a drop-in would be without effect."""

    def judge(answers: Answers) -> Iterable[str]:
        running = process.read(subject, answers)
        if "ETCD_CONFIG_FILE" in running.environment:
            yield "ETCD_CONFIG_FILE hides every variable from etcd; move its settings to variables first"
        flags = [word for word in running.arguments[1:] if word.startswith("-")]
        if flags:
            yield (
                f"the process has flags ({' '.join(flags)}), which beat or contradict variables; "
                "move them to Environment= lines of the unit first"
            )

    return Inquiry((process.check(subject),), judge)


@gate
def running_with_http(subject: Subject) -> Inquiry:
    """Every listener of the running process is http, as it was before the first change."""

    def judge(answers: Answers) -> Iterable[str]:
        running = process.read(subject, answers)
        if running.complaint:
            yield running.complaint
            return
        for name in (settings.LISTEN_CLIENT, settings.LISTEN_PEER, settings.ADVERTISE_CLIENT):
            tls = [
                url for url in settings.current(running.environment, name) if not url.startswith("http://")
            ]
            if tls:
                yield f"{name} already holds {', '.join(tls)}"

    return Inquiry((process.check(subject),), judge)


def _running_with(subject: Subject, wanted: Mapping[str, str | None], drop_ins: tuple[Write, ...]) -> Inquiry:
    """The running process has these settings, and so will the next: just these drop-ins of ours lie."""
    paths = Paths.of(subject).settings
    written = {file.path for file in drop_ins}
    lying = files.check(subject, paths)

    def judge(answers: Answers) -> Iterable[str]:
        running = process.read(subject, answers)
        if running.complaint:
            yield running.complaint
        else:
            yield from settings.differences(running.environment, wanted)
        found = files.read(answers, lying)
        yield from files.differences(drop_ins, found)
        yield from files.changes(subject, (path for path in paths if path not in written), found)

    return Inquiry((process.check(subject), lying), judge)


@gate
def running_as_found(subject: Subject) -> Inquiry:
    """The running process and the unit's drop-ins have the settings from before the first change."""
    before = subject.found.environment
    ours = {**settings.certificates(subject), **settings.tls_listeners(subject)}
    return _running_with(subject, {name: before.get(name) for name in ours}, ())


@gate
def loaded_with_certificates(subject: Subject) -> Inquiry:
    """The running process has the certificate settings, and still listens on http, on the local port too."""
    wanted = {**settings.insecure_localhost(subject), **settings.certificates(subject)}
    return _running_with(subject, wanted, (files.insecure_localhost(subject), files.certs(subject)))


@gate
def running_with_https(subject: Subject) -> Inquiry:
    """The running process listens on https, with the certificate settings."""
    wanted = {**settings.certificates(subject), **settings.tls_listeners(subject)}
    drop_ins = (files.insecure_localhost(subject), files.certs(subject), files.tls(subject))
    return _running_with(subject, wanted, drop_ins)


@gate
def holding_certificates(subject: Subject) -> Inquiry:
    """CA, certificate and key lie on the host, readable by the service's user, with the right mode."""
    wanted = files.material(subject)
    question = files.check(subject, tuple(item.path for item in wanted))
    return Inquiry((question,), lambda answers: files.differences(wanted, files.read(answers, question)))


@gate
def holding_no_certificates(subject: Subject) -> Inquiry:
    """Where the certificates will lie there is what was there before the first change."""
    paths = Paths.of(subject).material
    question = files.check(subject, paths)
    return Inquiry((question,), lambda answers: files.changes(subject, paths, files.read(answers, question)))


@gate
def free_of_other_files(subject: Subject) -> Inquiry:
    """Nothing of the operator's lies where our files will, unless it is the very same."""
    drop_ins = (files.insecure_localhost(subject), files.certs(subject), files.tls(subject))
    wanted = (*files.material(subject), *drop_ins)
    question = files.check(subject, tuple(item.path for item in wanted))
    return Inquiry((question,), lambda answers: files.conflicts(wanted, files.read(answers, question)))


@gate
def healthy(subject: Subject) -> Inquiry:
    """The member answers a read that needs a quorum, knows a leader and is not behind."""
    question = etcdctl.health(subject)
    statuses = {other.member.name: etcdctl.status(other) for other in subject.everyone}

    def judge(answers: Answers) -> Iterable[str]:
        answer = answers[question]
        if answer.exit_status != 0:
            yield f"no healthy answer: {etcdctl.last_line(answer)}"
            return
        mine = etcdctl.read_status(answers, statuses[subject.member.name])
        if mine.id != subject.found.id:
            yield f"member {mine.id} answers, not {subject.found.id}"
        if mine.leader == "0":
            yield "knows no leader"
        ahead = max(_index(answers, check) for check in statuses.values())
        if ahead - mine.applied > MAX_LAG:
            yield f"is {ahead - mine.applied} raft entries behind"

    return Inquiry((question, *statuses.values()), judge)


def _index(answers: Answers, question: Check) -> int:
    """Raft index of one member; one that does not answer cannot be ahead of anybody."""
    return etcdctl.read_status(answers, question).index if answers[question].exit_status == 0 else 0


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
    """Without a client certificate nobody is served, unless the plan wants it so."""
    if not subject.cluster.tls.client_cert_auth:
        return Inquiry((), lambda _: ())
    complaint = "serves clients that show no certificate"
    return _all(
        _knocking(knock(subject, url), complaint, not_refused) for url in settings.advertised_clients(subject)
    )


@gate
def reachable_by_every_peer_over_tls(subject: Subject) -> Inquiry:
    """Every other member completes a mutual TLS handshake with this one's peer port, with its files in use.

    Two members stay connected while one of them can dial the other, so health says nothing about certificates
    until the last member has switched (etcd 3.4.23 to 3.6.14); only handshakes in every direction do.
    """
    dials = tuple(
        (dialler.member.name, url, handshake(dialler, url))
        for dialler in subject.others
        for url in settings.peers_https(subject)
    )

    def judge(answers: Answers) -> Iterable[str]:
        for name, url, question in dials:
            answer = answers[question]
            if answer.exit_status != 0 or answer.stdout.strip() != "200":
                yield f"{name} cannot reach {url} over TLS: {etcdctl.last_line(answer)}"

    return Inquiry(tuple(question for _, _, question in dials), judge)


def _registered(subject: Subject, peer_urls: tuple[str, ...], client_urls: tuple[str, ...] | None) -> Inquiry:
    views = {viewer.member.name: etcdctl.members(viewer) for viewer in subject.everyone}

    def judge(answers: Answers) -> Iterable[str]:
        for viewer, question in views.items():
            found = etcdctl.read_members(answers, question).get(subject.found.id)
            if found is None:
                yield f"{viewer} knows no member {subject.found.id}"
                continue
            if set(found.peer_urls) != set(peer_urls):
                yield f"{viewer} sees peer URLs {_list(found.peer_urls)}, not {_list(peer_urls)}"
            if client_urls is not None and set(found.client_urls) != set(client_urls):
                yield f"{viewer} sees client URLs {_list(found.client_urls)}, not {_list(client_urls)}"

    return Inquiry(tuple(views.values()), judge)


def _list(urls: Iterable[str]) -> str:
    return ",".join(urls) or "none"


@gate
def registered_with_http(subject: Subject) -> Inquiry:
    """Every member sees this one's peer URLs as they were before the first change."""
    return _registered(subject, settings.peers_http(subject), None)


@gate
def registered_with_both_schemes(subject: Subject) -> Inquiry:
    """Every member sees this one's peer URLs in both schemes: a dialler finds the one that answers."""
    return _registered(subject, settings.peers_both(subject), None)


@gate
def registered_with_https_only(subject: Subject) -> Inquiry:
    """Every member sees this one's peer and client URLs in https only."""
    return _registered(subject, settings.peers_https(subject), settings.advertised_clients(subject))


@gate
def advertising_https(subject: Subject) -> Inquiry:
    """Clients that ask the registry are told https URLs."""
    return _registered(subject, settings.peers_both(subject), settings.advertised_clients(subject))


@gate
def quorate(subject: Subject) -> Inquiry:
    """Every other member answers a read that needs a quorum: this one may be away for a moment."""
    views = {other.member.name: etcdctl.health(other) for other in subject.others}

    def judge(answers: Answers) -> Iterable[str]:
        for name, question in views.items():
            if answers[question].exit_status != 0:
                yield f"{name} is not healthy: {etcdctl.last_line(answers[question])}"

    return Inquiry(tuple(views.values()), judge)


@gate
def free_of_alarms(subject: Subject) -> Inquiry:
    """No member has raised an alarm (a full disk, a corrupt store)."""
    question = etcdctl.alarms((subject.others or (subject,))[0])

    def judge(answers: Answers) -> Iterable[str]:
        answer = answers[question]
        if answer.exit_status != 0:
            yield f"cannot ask for alarms: {etcdctl.last_line(answer)}"
        elif answer.stdout.strip():
            yield f"raised: {answer.stdout.strip().replace(chr(10), ', ')}"

    return Inquiry((question,), judge)
