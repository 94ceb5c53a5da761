"""What is checked on a host that runs clients and no etcd, and what is not asked of it."""

from collections.abc import Iterable
from pathlib import Path

from support.sites import make_site

from orchestrator.etcd.checks.preflight import CHECKLIST
from orchestrator.etcd.checks.site import Site
from orchestrator.etcd.facts import watched
from orchestrator.host.checks import Check
from orchestrator.host.questions import Answer, Script
from orchestrator.plan.facts import Facts
from orchestrator.plan.model import ClientHost, Clients
from orchestrator.plan.sections import ClientFile, ClientUnit


def site(folder: Path) -> Site:
    file = ClientFile(path="/etc/app.env", content=folder / "app.env")
    unit = ClientUnit(unit="app", on=("app1",), files=(file,), healthy="is-well")
    hosts = (ClientHost(name="app1", address="198.18.0.121"),)
    clients = Clients(units=(unit,), hosts=hosts)
    made = make_site(folder, "server1", "app1", clients=clients)
    facts = Facts.model_validate({**made.facts.model_dump(), "clients": {"app1": ()}})
    return Site(made.cluster, facts, made.reached, made.now)


def checks(site: Site) -> Iterable[tuple[str, Check]]:
    return [(item.name, check) for item in CHECKLIST for check in item.make(site)]


def test_only_what_matters_without_an_etcd_is_checked_there(tmp_path: Path) -> None:
    every = checks(site(tmp_path))
    assert ["tools", "lock", "clock", "moved clients"] == [
        name for name, check in every if check.where == "app1"
    ]
    asked = {name for name, check in every for question in check.questions if question.host == "app1"}
    assert {"tools", "lock", "clock", "moved clients", "clients"} == asked


def test_its_units_are_found_wanting_by_their_host(tmp_path: Path) -> None:
    (check,) = [one for name, one in checks(site(tmp_path)) if (name, one.where) == ("moved clients", "app1")]
    units, healthy = check.questions
    assert isinstance(units, Script)
    assert watched.UNITS == units.script
    inactive = Answer(0, "unit app LoadState=loaded ActiveState=failed \n")
    remarks = check.judge({units: inactive, healthy: Answer(1, "", "no answer")})
    assert [
        ("fail", "app.service is failed"),
        ("fail", "app is not well, says its command 'healthy': no answer"),
    ] == [(one.verdict, one.evidence) for one in remarks]
    well = check.judge(
        {units: Answer(0, "unit app LoadState=loaded ActiveState=active \n"), healthy: Answer(0, "")}
    )
    assert [("pass", "app: active and well")] == [(one.verdict, one.evidence) for one in well]
