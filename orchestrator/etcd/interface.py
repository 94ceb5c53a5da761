"""Through which of etcd's interfaces a cluster is driven: the plan's, or v3 wherever every member has it."""

from collections.abc import Mapping
from typing import Literal

from orchestrator.errors import RefusedError
from orchestrator.etcd.api.words import Hindrance, hindrance, without_http
from orchestrator.etcd.facts.members import Version
from orchestrator.host.questions import Answer, Answers, Fact
from orchestrator.plan.model import Cluster
from orchestrator.text import shown


def choose(cluster: Cluster, answers: Answers, versions: Mapping[str, Fact[Version]]) -> Literal["v2", "v3"]:
    """Choose the interface: what the plan says, or v3 wherever every member has it."""
    faults, majors, without_v2 = [], set(), []
    for name, fact in versions.items():
        try:
            told = fact.read(answers)
        except ValueError as error:
            faults.append(f"{name}: {_unheard(cluster, name, answers[fact.question], error)}")
            continue
        majors.add(told.server.split(".")[0])
        if not told.serves_v2:
            without_v2.append(name)
    chosen = cluster.api if cluster.api != "auto" else ("v2" if "2" in majors else "v3")
    if chosen == "v2" and without_v2 and not faults:
        faults.append(
            f"the v2 interface is not served by {', '.join(without_v2)}: write api: auto into the plan, or, "
            "one member at a time, set ETCD_ENABLE_V2=true there and restart it"
        )
    if chosen == "v3" and "2" in majors:
        faults.append(
            "api: v3 is not possible: a member runs etcd 2, which has the v2 interface only; write api: auto "
            "into the plan"
        )
    refuse(faults)
    return "v2" if chosen == "v2" else "v3"


def _unheard(cluster: Cluster, name: str, answer: Answer, error: ValueError) -> str:
    """Say why a member does not tell its version, and what to do about it."""
    urls = without_http(answer)
    if urls:
        return _secured(cluster, name, urls)
    found = hindrance(answer) or Hindrance(f"it does not tell its version ({error})", "versions")
    return str(found)


def _secured(cluster: Cluster, name: str, urls: str) -> str:
    """Say how a member that no longer listens with http comes to be looked at."""
    unit, local = f"{cluster.member(name).service}.service", f"http://127.0.0.1:{cluster.ports.local}"
    return (
        f"none of its client listeners speaks http ({shown(urls, quote='', limit=300)}), so it cannot be "
        "asked; a cluster that is half secured already is not supported yet. To see what else has to go back "
        f"to http: on {name}, where ETCD_LISTEN_CLIENT_URLS is set (systemctl cat {unit} shows where), let "
        f"it be {shown(f'{urls},{local}', quote='', limit=400)} and then, as root: systemctl daemon-reload "
        f"&& systemctl restart {unit} (then check again)"
    )


def refuse(faults: list[str]) -> None:
    """Raise RefusedError with everything in which the plan does not fit, if there is anything."""
    if faults:
        raise RefusedError("\n".join(("the plan does not fit what the hosts show:", *faults)))
