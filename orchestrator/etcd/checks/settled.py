"""What a member runs with, and what lies on its host: asked of the kernel and of the files."""

from collections.abc import Iterable, Mapping
from typing import Any

from orchestrator.etcd import files, install, kept, local_port, overlap, settings, stages
from orchestrator.etcd.checks.gate import gate
from orchestrator.etcd.facts import ca_store, process
from orchestrator.etcd.facts.process import Process
from orchestrator.etcd.install import next_start, origins
from orchestrator.etcd.settings import Paths
from orchestrator.etcd.stages import CERTIFICATES, HTTPS, LOCAL_PORT, OVERLAP, Stage
from orchestrator.host.checks import Check, Predicate, Remark, wrong
from orchestrator.host.questions import Answers, Fact
from orchestrator.plan.facts import Target

_OWN_FILES: Mapping[str, tuple[str, ...]] = {
    settings.LISTEN_CLIENT: kept.CLIENT_FILES,
    settings.ADVERTISE_CLIENT: kept.CLIENT_FILES,
    settings.LISTEN_PEER: kept.PEER_FILES,
}


@gate(fix="take the flag or the file out of the unit again, and restart the member")
def configured_as_found(target: Target) -> Check:
    """The process has its settings from where it had them: a flag, or a file, would pass ours by."""
    runs = install.of(target).running
    source = target.found.source
    return Check(target.name, (runs,), lambda answers: origins.strangers(runs.read(answers), source))


@gate(
    fix=(
        "listeners that speak https are kept if they have certificates of their own; auto TLS, and both "
        "schemes for peers, are not supported: docs/hosts.md says how such a member comes back to http"
    )
)
def running_with_http(target: Target) -> Check:
    """Every listener of the running process is http, or https with certificates of its own."""
    runs, ours = process.running(target), Paths.of(target).material

    def judge(answers: Answers) -> Iterable[Remark]:
        running = runs.read(answers)
        if running.complaint:
            yield wrong(running.complaint)
            return
        for name, own in _OWN_FILES.items():
            urls = settings.current(running.settings, name)
            tls = kept.https(urls)
            if tls and not kept.is_kept(running.settings, own, tls, ours):
                lacking = [each for each in own if not running.settings.get(each)]
                missing = ", ".join(lacking) or "certificates other than a run's"
                yield wrong(f"{name} already holds {', '.join(tls)}, without {missing}")
            elif tls and name == settings.LISTEN_PEER and len(tls) < len(urls):
                yield wrong(f"{name} already holds {', '.join(tls)}, and http beside it")

    return Check(target.name, (runs,), judge)


def of_process(runs: Fact[Process], wanted: Mapping[str, str | None]) -> Predicate:
    """Say why the unit does not run, or which settings its process has otherwise than wanted."""

    def judge(answers: Answers) -> Iterable[Remark]:
        running = runs.read(answers)
        if running.complaint:
            yield wrong(running.complaint)
        else:
            yield from map(wrong, settings.differences(running.settings, wanted))

    return judge


def running_with(
    target: Target, wanted: Mapping[str, str | None], *stages: Stage, are_edited: bool = False
) -> Check:
    """The running process has these settings, and so will the next: just the files of these stages lie.

    Nothing else that the next start reads says otherwise, either. Where no stage is in force there is nothing
    of ours to beat, and what the unit says of its own is the matter of the check 'origin'.
    """
    installed = install.of(target)
    runs = installed.running
    as_wanted = of_process(runs, wanted)
    lying, of_files = installed.only(*stages, are_edited=are_edited)
    asked, of_next_start = _next_start(target, wanted) if stages else ((), lambda _: ())

    def manual_changes(answers: Answers) -> Iterable[Remark]:
        yield from of_files(answers)
        yield from of_next_start(answers)

    def judge(answers: Answers) -> Iterable[Remark]:
        yield from as_wanted(answers)
        yield from manual_changes(answers)

    return Check(target.name, (runs, lying, *asked), judge, manual_changes)


def _next_start(target: Target, wanted: Mapping[str, str | None]) -> tuple[tuple[Fact[Any], ...], Predicate]:
    return next_start.looked_at(target, lambda read, texts: next_start.astray(target, read, texts, wanted))


@gate(fix="it was restarted or changed while it was looked at: check again")
def running_as_found(target: Target) -> Check:
    """The running process and the unit's drop-ins have the settings from before the first change."""
    before = target.found.environment
    ours = {**stages.certificates(target), **stages.tls_listeners(target)}
    return running_with(target, {name: before.get(name) for name in ours})


@gate
def listening_locally(target: Target) -> Check:
    """The running process listens on the local port too, if there is one; all else is as it was before."""
    before = target.found.environment
    ours = {**stages.certificates(target), **stages.tls_listeners(target)}
    wanted = {**{name: before.get(name) for name in ours}, **local_port.opened(target)}
    return running_with(target, wanted, LOCAL_PORT)


@gate
def loaded_with_certificates(target: Target) -> Check:
    """The running process has the certificate settings, and still listens on http, perhaps on https too."""
    listeners = {settings.LISTEN_CLIENT: target.found.environment.get(settings.LISTEN_CLIENT)}
    wanted = {**listeners, **local_port.opened(target), **stages.certificates(target)}
    return running_with(target, {**wanted, **overlap.listeners(target)}, LOCAL_PORT, CERTIFICATES, OVERLAP)


@gate
def running_with_https(target: Target) -> Check:
    """The running process listens on https, with the certificate settings."""
    wanted = {**stages.certificates(target), **stages.tls_listeners(target)}
    return running_with(target, wanted, LOCAL_PORT, CERTIFICATES, OVERLAP, HTTPS)


@gate
def running_with_ports_closed(target: Target) -> Check:
    """The running process listens on https, and no more on what the plan wants closed in the end."""
    return running_with(target, install.of(target).final, *stages.stages_of(target))


@gate
def holding_certificates(target: Target) -> Check:
    """CA, certificate and key lie on the host, readable by the service's user, with the right mode."""
    wanted = files.material(target)
    lying = files.lying(target, (item.path for item in wanted))

    def judge(answers: Answers) -> Iterable[Remark]:
        return files.differences(wanted, lying.read(answers))

    return Check(target.name, (lying,), judge, judge)


@gate(fix="a file was created there during the check: check again")
def holding_no_certificates(target: Target) -> Check:
    """Where the certificates will lie there is what was there before the first change."""
    paths = (*Paths.of(target).material, *(file.path for file in ca_store.files(target)))
    lying = files.lying(target, paths)

    def judge(answers: Answers) -> Iterable[Remark]:
        return files.changes(target, paths, lying.read(answers))

    return Check(target.name, (lying,), judge, judge)


@gate(
    fix=(
        "for each of them that nothing uses: mv FILE FILE.before, and for one below /etc/systemd: "
        "systemctl daemon-reload; "
        "for certificates another directory in the plan (tls.directory) helps too"
    )
)
def free_of_other_files(target: Target) -> Check:
    """Nothing of the operator's lies where our files will, unless it is the very same."""
    ours = install.of(target).files(*stages.stages_of(target))
    wanted = (*files.material(target), *ours, *ca_store.files(target))
    lying = files.lying(target, (item.path for item in wanted))
    return Check(target.name, (lying,), lambda answers: files.conflicts(wanted, lying.read(answers)))
