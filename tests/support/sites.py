"""A site of three members with good certificates, what its hosts answer, and what a check finds there."""

import base64
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from support.targets import target

from orchestrator.etcd.checks.item import Finding, Item
from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.etcd.checks.site import Site
from orchestrator.host.questions import Answer, Question, Script
from orchestrator.lab.provisioning.credentials import Authority

NOW = datetime.now(UTC)


def make_site(folder: Path, *reached: str, **changes: object) -> Site:
    """A site of three members with good certificates; only the first is reached unless others are named."""
    member = target(folder, {})
    authority = Authority.make("the CA")
    authority.write(folder / "ca.pem")
    for host in (*member.cluster.etcd_hosts,):
        names = (host.address, "127.0.0.1", "localhost", host.name)
        authority.issue(host.name, names).write(host.certificate, host.key)
    authority.issue("client").write(folder / "client.pem", folder / "client-key.pem")
    moments = dict.fromkeys(reached or ("server1",), (NOW, NOW))
    cluster = member.cluster.model_copy(update=changes)
    return Site(cluster, member.facts, moments, NOW)


def item(name: str) -> Item:
    return next(one for one in CHECKLIST if one.name == name)


def judged(name: str, site: Site, answers: Mapping[str, Answer], place: str | None = None) -> list[Finding]:
    """Judge a check; ``answers`` are by script, and a script that is not there was not answered."""
    found: list[Finding] = []
    for examination in item(name).make(site):
        if place not in {None, examination.where}:
            continue
        heard: dict[Question, Answer] = {
            question: answers[question.script]
            for question in examination.questions
            if isinstance(question, Script) and question.script in answers
        }
        found += item(name).findings(examination, heard)
    return found


def verdicts(findings: Iterable[Finding]) -> list[str]:
    return [one.verdict for one in findings]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def running(environment: Mapping[str, str] | None = None, *flags: str, state: str = "active") -> Answer:
    words = "\0".join(f"{name}={value}" for name, value in (environment or {}).items())
    lines = (
        *("LoadState=loaded", f"ActiveState={state}", "SubState=running", "MainPID=30"),
        *(f"environ={encoded(words)}", f"cmdline={encoded(chr(0).join(('/usr/bin/etcd', *flags)))}"),
    )
    return Answer(0, "\n".join(lines))


def unit_reported(properties: str = "", **files: str) -> Answer:
    """``files`` are kinds (drop_in, file) with PATH=TEXT."""
    lines = [properties] if properties else []
    for kind, reported in files.items():
        path, _, text = reported.partition("=")
        lines.append(f"{kind}={encoded(text)} {path}")
    return Answer(0, "\n".join(lines))
