"""Who dials whom is looked for at the members' own peer ports, which need not be the plan's."""

import shlex
from dataclasses import replace
from pathlib import Path

from support.scripts import shell
from support.targets import target

from orchestrator.etcd.facts import routes
from orchestrator.host.questions import Script

OWN = {"ETCD_LISTEN_PEER_URLS": "http://0.0.0.0:15380,http://[::1]:15381"}


def test_sockets_are_chosen_by_the_ports_that_members_have(tmp_path: Path) -> None:
    member = target(tmp_path, OWN)
    ports = {"server2": (":2380", ":12380"), "server3": (":13380",)}
    members = {
        name: found.model_copy(update={"peer_urls": tuple(f"http://{name}{port}" for port in ports[name])})
        if name in ports
        else found
        for name, found in member.facts.members.items()
    }
    question = routes.of(replace(member, facts=member.facts.model_copy(update={"members": members}))).question
    assert isinstance(question, Script)
    for program in ("ss", "ip", "getent"):
        (tmp_path / program).write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/{program}.log\n')
        (tmp_path / program).chmod(0o755)
    done = shell(f"PATH={tmp_path}:$PATH\nset -- {shlex.join(question.arguments)}\n{question.script}")
    assert (0, "") == (done.returncode, done.stderr)
    dialled, heard = (tmp_path / "ss.log").read_text().splitlines()
    assert dialled.endswith("established ( dport = :2380 or dport = :12380 or dport = :13380 )")
    assert heard.endswith("established ( sport = :15380 or sport = :15381 )")
    assert "route server2 ? ?\nroute server3 ? ?\n" == done.stdout.replace("dials  \n", "").replace(
        "hears \n", ""
    )
