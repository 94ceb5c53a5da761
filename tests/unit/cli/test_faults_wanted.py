"""``rehearse --faults [SEED]`` and ``--fault NAME``: what they mean, and what is refused at once."""

import shlex
from pathlib import Path

import pytest

from orchestrator.cli.faults import fault_names, tour_of
from orchestrator.cli.lab import _given
from orchestrator.cli.logins import Login
from orchestrator.errors import UsageError
from orchestrator.lab.provisioning.plan_copy import relocated

PLAN = Path(__file__).parents[3] / "plans" / "three-members.yaml"


def test_a_number_behind_the_option_is_the_seed_and_the_rest_goes_to_the_runs() -> None:
    tour = tour_of(PLAN, ["7", "--canary", "server2"], wanted=True, named=[])
    assert tour is not None
    assert (7, (), ("--canary", "server2")) == (tour.seed, tour.names, tour.arguments)
    assert [("stage", "staged", 3), ("prove", "proven", 3)] == [
        (turn.round, turn.state, turn.hosts) for turn in tour.turns[:2]
    ]
    assert "sealed" == tour.turns[-1].state


def test_the_command_that_repeats_it_has_everything_that_was_given() -> None:
    tour = tour_of(PLAN, ["7", "--canary", "server 2"], wanted=True, named=["reboot", "cut-link"])
    assert tour is not None
    given = ["--etcd", "3.4.23", "--keep", "--become-password-file", "/root/a file"]
    again = tour.again(Path("my plan.yaml"), given)
    assert again.endswith(
        "rehearse 'my plan.yaml' --etcd 3.4.23 --keep --become-password-file '/root/a file' "
        "--fault reboot --fault cut-link --faults 7 --canary 'server 2'"
    ), again
    words = shlex.split(again)
    repeated = tour_of(PLAN, words[words.index("--faults") + 1 :], wanted=True, named=["reboot", "cut-link"])
    assert repeated == tour


def test_every_option_beside_the_faults_is_given_again() -> None:
    file = Login(become_password_file=Path("-f"))
    assert ("--as-found", "--with-data", "--keep", "--become-password-file", "./-f") == _given(
        file, as_found=True, with_data=True, keep=True, etcd=None
    )
    assert ("--etcd", "3.4.23", "--ask-become-pass") == _given(
        Login(ask_become_pass=True), as_found=False, with_data=False, keep=False, etcd="3.4.23"
    )


def test_without_a_seed_one_is_chosen_and_without_either_option_there_are_no_faults() -> None:
    seeds = {tour.seed for _ in range(20) if (tour := tour_of(PLAN, [], wanted=True, named=[]))}
    assert len(seeds) > 10
    assert tour_of(PLAN, ["7"], wanted=False, named=[]) is None


def test_named_faults_need_no_seed() -> None:
    tour = tour_of(PLAN, [], wanted=False, named=["reboot", "cut-link"])
    assert tour is not None
    assert ("reboot", "cut-link") == tour.names


def test_what_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match=f"--fault flood: the faults are {', '.join(fault_names())}"):
        tour_of(PLAN, [], wanted=False, named=["flood"])
    with pytest.raises(UsageError, match="take every round"):
        tour_of(PLAN, ["--until", "staged"], wanted=True, named=[])


def test_rounds_of_clients_that_a_rehearsal_leaves_out_are_left_out(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    unit = "{unit: app, on: [server1], files: [{content: app.conf, path: /etc/app.conf}]}"
    plan.write_text(f"{PLAN.read_text()}\nclients: {{units: [{unit}]}}\n")
    moved = tour_of(plan, [], wanted=True, named=[])
    copied = tmp_path / "copied.yaml"
    copied.write_text(relocated(plan.read_text()))
    rehearsed, usual = (tour_of(one, [], wanted=True, named=[]) for one in (copied, PLAN))
    assert moved is not None
    assert rehearsed is not None
    assert usual is not None
    assert rehearsed.turns == moved.turns == usual.turns
