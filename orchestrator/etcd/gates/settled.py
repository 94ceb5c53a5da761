"""What a member runs with, and what lies on its host: asked of the kernel and of the files."""

from collections.abc import Iterable, Mapping

from orchestrator.etcd import files, settings
from orchestrator.etcd.asking import gate
from orchestrator.etcd.facts import ca_store, process
from orchestrator.etcd.settings import Paths
from orchestrator.host.checks import Check, Remark, wrong
from orchestrator.host.operations import Write
from orchestrator.host.questions import Answers
from orchestrator.plan.facts import Subject


@gate(fix="move these settings into Environment= lines and restart the member")
def configured_by_environment(subject: Subject) -> Check:
    """Flags beat variables and a configuration file hides both: a drop-in would be without effect."""
    runs = process.running(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        running = runs.read(answers)
        if "ETCD_CONFIG_FILE" in running.environment:
            yield wrong(
                "ETCD_CONFIG_FILE hides every variable from etcd; move its settings to variables first"
            )
        flags = [word.split("=")[0] for word in running.arguments[1:] if word.startswith("-")]
        if flags:
            yield wrong(
                f"the process has flags ({' '.join(flags)}), which beat or contradict variables; "
                "move them to Environment= lines of the unit first"
            )

    return Check(subject.name, (runs,), judge)


@gate(
    fix=(
        "a member that speaks https already is not supported: put these URLs back to http in its settings, "
        "and restart it, one member at a time"
    )
)
def running_with_http(subject: Subject) -> Check:
    """Every listener of the running process is http, as it was before the first change."""
    runs = process.running(subject)

    def judge(answers: Answers) -> Iterable[Remark]:
        running = runs.read(answers)
        if running.complaint:
            yield wrong(running.complaint)
            return
        for name in (settings.LISTEN_CLIENT, settings.LISTEN_PEER, settings.ADVERTISE_CLIENT):
            tls = [
                url for url in settings.current(running.environment, name) if not url.startswith("http://")
            ]
            if tls:
                yield wrong(f"{name} already holds {', '.join(tls)}")

    return Check(subject.name, (runs,), judge)


def running_with(subject: Subject, wanted: Mapping[str, str | None], drop_ins: tuple[Write, ...]) -> Check:
    """The running process has these settings, and so will the next: just these drop-ins of ours lie."""
    paths = Paths.of(subject).settings
    written = {file.path for file in drop_ins}
    runs, lying = process.running(subject), files.lying(subject, paths)

    def by_hand(answers: Answers) -> Iterable[Remark]:
        found = lying.read(answers)
        yield from files.differences(drop_ins, found)
        yield from files.changes(subject, (path for path in paths if path not in written), found)

    def judge(answers: Answers) -> Iterable[Remark]:
        running = runs.read(answers)
        if running.complaint:
            yield wrong(running.complaint)
        else:
            yield from map(wrong, settings.differences(running.environment, wanted))
        yield from by_hand(answers)

    return Check(subject.name, (runs, lying), judge, by_hand)


@gate(fix="it was restarted or changed while it was looked at: check again")
def running_as_found(subject: Subject) -> Check:
    """The running process and the unit's drop-ins have the settings from before the first change."""
    before = subject.found.environment
    ours = {**settings.certificates(subject), **settings.tls_listeners(subject)}
    return running_with(subject, {name: before.get(name) for name in ours}, ())


@gate
def listening_locally(subject: Subject) -> Check:
    """The running process listens on the local port too; everything else is as it was before."""
    before = subject.found.environment
    ours = {**settings.certificates(subject), **settings.tls_listeners(subject)}
    wanted = {**{name: before.get(name) for name in ours}, **settings.insecure_localhost(subject)}
    if settings.has_local_port(subject):
        wanted[settings.LISTEN_CLIENT] = before.get(settings.LISTEN_CLIENT)
    return running_with(subject, wanted, files.insecure_localhost(subject))


@gate
def loaded_with_certificates(subject: Subject) -> Check:
    """The running process has the certificate settings, and still listens on http, on the local port too."""
    wanted = {**settings.insecure_localhost(subject), **settings.certificates(subject)}
    return running_with(subject, wanted, (*files.insecure_localhost(subject), files.certs(subject)))


@gate
def running_with_https(subject: Subject) -> Check:
    """The running process listens on https, with the certificate settings."""
    wanted = {**settings.certificates(subject), **settings.tls_listeners(subject)}
    drop_ins = (*files.insecure_localhost(subject), files.certs(subject), files.tls(subject))
    return running_with(subject, wanted, drop_ins)


@gate
def holding_certificates(subject: Subject) -> Check:
    """CA, certificate and key lie on the host, readable by the service's user, with the right mode."""
    wanted = files.material(subject)
    lying = files.lying(subject, (item.path for item in wanted))

    def judge(answers: Answers) -> Iterable[Remark]:
        return files.differences(wanted, lying.read(answers))

    return Check(subject.name, (lying,), judge, judge)


@gate(fix="somebody has put a file there while it was looked at: check again")
def holding_no_certificates(subject: Subject) -> Check:
    """Where the certificates will lie there is what was there before the first change."""
    paths = (*Paths.of(subject).material, *(file.path for file in ca_store.files(subject)))
    lying = files.lying(subject, paths)

    def judge(answers: Answers) -> Iterable[Remark]:
        return files.changes(subject, paths, lying.read(answers))

    return Check(subject.name, (lying,), judge, judge)


@gate(
    fix=(
        "for each of them: mv FILE FILE.before, and for one below /etc/systemd: systemctl daemon-reload; "
        "for certificates another directory in the plan (tls.directory) helps too"
    )
)
def free_of_other_files(subject: Subject) -> Check:
    """Nothing of the operator's lies where our files will, unless it is the very same."""
    drop_ins = (*files.insecure_localhost(subject), files.certs(subject), files.tls(subject))
    wanted = (*files.material(subject), *drop_ins, *ca_store.files(subject))
    lying = files.lying(subject, (item.path for item in wanted))
    return Check(subject.name, (lying,), lambda answers: files.conflicts(wanted, lying.read(answers)))
