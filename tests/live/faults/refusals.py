"""Cases that have to be refused before anything is changed: by ``check``, by name, and by ``run``."""

import re
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from live.faults.record import case
from live.stories import failure, fingerprint, restarts, state_file

from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

REFUSED = 5
BEFORE = "before the first change"


def refused(
    lab: Lab,
    fault: str,
    check: str,
    *reported: str,
    broken: AbstractContextManager[object] | None = None,
    plan: str = PLAN,
    exits: tuple[int, int] = (REFUSED, REFUSED),
    wrapper: Sequence[str] = (),
) -> None:
    """Have ``run`` and then ``check`` refuse, with these exit codes and no trace on any host.

    ``check`` is the name of the check that finds the fault (empty: no check is reached), ``told`` what it has
    to say. The lab is broken already, or ``broken`` breaks it and fixes it. ``wrapper`` is a program to run
    ours with.
    """
    where = f"check names it under '{check}'" if check else "the message names it"
    expected = f"refused, {where}, nothing is changed"
    command = (*wrapper, sys.executable, "-m", "orchestrator")
    with case(lab, fault, BEFORE, exits=(exits,), expected=expected) as under_way, broken or nullcontext():
        before, starts = fingerprint(lab), restarts(lab)
        run = under_way.note(lab.run([*command, "run", plan, "--yes"], check=False))
        checked = under_way.note(lab.run([*command, "check", plan], check=False))
        says = " ".join((checked.stdout + checked.stderr).split())
        assert not check or re.search(rf"^{check} +fail ", checked.stdout, re.MULTILINE), failure(checked)
        assert [] == [words for words in reported if words not in says], failure(checked)
        assert "Traceback" not in run.stderr + checked.stderr, failure(run)
        assert (before, starts) == (fingerprint(lab), restarts(lab)), failure(run)
        assert not state_file(lab).exists()
