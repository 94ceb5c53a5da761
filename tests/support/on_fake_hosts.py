"""The program in a process of its own, over the engine's fake hosts: on_fake_hosts.py FOLDER JOB_S ARGS.

Everything is real but the hosts, and what these fake ones cannot be asked: the checklist, and a backup.
Each job takes JOB_S seconds, and waits for as long as a line of FOLDER/held is part of its name.
What FOLDER/notify.json holds is the plan's section ``notify``.
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

from engine.world import World, make_cluster

from orchestrator import session
from orchestrator.cli import main as command_line
from orchestrator.commands import check, keeping, locks, recall, recover
from orchestrator.host import lock
from orchestrator.plan import loading
from orchestrator.plan.notify import Notify
from orchestrator.session import Session


def hold(folder: Path, *words: str) -> None:
    """Let jobs with these words in their names wait from now on, and all others go on."""
    (folder / "held.new").write_text("".join(f"{one}\n" for one in words))
    (folder / "held.new").rename(folder / "held")


def held(folder: Path) -> Sequence[str]:
    """Return the words that are held now."""
    place = folder / "held"
    return place.read_text().splitlines() if place.exists() else ()


def main() -> None:
    """Run one command."""
    folder, job_s, *arguments = sys.argv[1:]
    cluster = make_cluster(Path(folder))
    wanted = Path(folder) / "notify.json"
    if wanted.exists():
        notify = Notify.model_validate(json.loads(wanted.read_text()), context=Path(folder))
        cluster = cluster.model_copy(update={"notify": notify})

    def moment(name: str) -> None:
        if name.startswith("before "):
            time.sleep(float(job_s))
            while any(words in name for words in held(Path(folder))):
                time.sleep(0.01)

    world = World(cluster, moment)

    def holder(names: Sequence[str]) -> dict[str, object]:
        return {name: lock.read(world.place(name).lock) for name in names}

    def passed(opened: Session, *_: object) -> object:
        return recall.read_facts(opened), ()

    def nothing(*_: object) -> str:
        return ""

    replaced = {
        (session, "load"): lambda *_, **__: SimpleNamespace(cluster=cluster, warnings=()),
        (loading, "load"): lambda *_, **__: SimpleNamespace(cluster=cluster, warnings=()),
        (session, "SshHosts"): lambda _, **__: nullcontext(world),
        (locks, "seen"): lambda _, names: holder(names),
        (check, "passed"): passed,
        (check, "undisputed"): nothing,
        (check, "returnable"): nothing,
        (keeping, "keep"): nothing,
        (keeping, "compare"): nothing,
        (recover, "refuse_forgotten"): nothing,
    }
    for (module, name), value in replaced.items():
        setattr(module, name, value)
    sys.argv = ["orchestrator", *arguments]
    command_line.main()


if __name__ == "__main__":
    main()
