"""Pictures of terminals for docs/, from a real run on hosts of the lab: ``make pictures``, as root."""

import re
import sys
from io import StringIO
from pathlib import Path

from live.conftest import booted
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text
from support.tmux import screen

from orchestrator.lab.hosts.base_system import ensure
from orchestrator.lab.lifecycle.lab import Lab
from orchestrator.lab.provisioning.plan_copy import PLAN

PICTURES = Path(__file__).parents[1] / "docs" / "terminal"
COLUMNS, ROWS = 116, 34
# a picture asks nobody for a font: a browser has one for `monospace`
FORMAT = re.sub(r"@font-face \{\{.*?\n    \}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def picture(lines: list[str], command: str, name: str) -> None:
    """Draw lines of a terminal, with their colours, under the command that printed them."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    for line in lines:
        console.print(Text.from_ansi(line), no_wrap=True, crop=True, highlight=False)
    (PICTURES / f"{name}.svg").write_text(
        console.export_svg(title=command, code_format=FORMAT, unique_id=name).rstrip() + "\n"
    )


def taken(lab: Lab, name: str, *arguments: str, last: bool = False, moment: str = "") -> None:
    """Run a command in a terminal; draw its first lines, its last ones, or the screen at a moment."""
    named = ["unshare", "--uts", "sh", "-c", 'hostname bastion; exec "$@"', "sh", "orchestrator", *arguments]
    gone = {"COLUMNS", "LINES", "NO_COLOR"}
    variables = {key: value for key, value in lab.environment().items() if key not in gone}
    variables |= {"COLORTERM": "truecolor", "PATH": f"{Path(sys.executable).parent}:{variables['PATH']}"}
    with screen(lab.directory, lab.command(named), variables, columns=COLUMNS, rows=ROWS) as seen:
        if moment:
            whole = (f": {moment}", "if you go back now")
            seen.wait_for_table(lambda table: all(part in "\n".join(table) for part in whole), within_s=120)
        else:
            seen.exit_code(300)
        lines = seen.coloured(is_all=not moment)
        seen.exit_code(300)
    while lines and not lines[-1].strip():
        lines.pop()
    picture(lines[-ROWS:] if last else lines[:ROWS], f"orchestrator {' '.join(arguments)}", name)


def main() -> None:
    """Take every picture of one migration."""
    ensure()
    PICTURES.mkdir(exist_ok=True)
    with booted("pictures"[:4]) as lab:
        taken(lab, "check", "check", PLAN, last=True)
        taken(lab, "plan", "plan", PLAN)
        taken(lab, "run", "run", PLAN, "--yes", "--until", "bridged", moment="accept/server2")
        taken(lab, "resume", "run", PLAN, "--resume", last=True)
        taken(lab, "status", "status", PLAN)


if __name__ == "__main__":
    main()
