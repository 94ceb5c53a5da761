"""A state file's lock under real processes: whoever holds it holds the path's file, and nobody else does."""

import json
import subprocess
import sys
from pathlib import Path

PROCESSES, TIMES = 4, 3000

# What each process does, over and over: take the file, look whether it is alone with it, let go of it.
CONTENDER = """
import json, os, sys
from pathlib import Path
from orchestrator.engine.state_file import StateFile
from orchestrator.errors import LockedError

path, times = Path(sys.argv[1]), int(sys.argv[2])
mark = path.with_name("held")
seen = {"held": 0, "locked": 0, "astray": 0, "together": 0, "other": []}

def mine():
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            if os.path.samestat(os.stat(f"/proc/self/fd/{descriptor}"), os.stat(path)):
                return True
        except FileNotFoundError:
            pass
    return False

print("ready", flush=True)
sys.stdin.readline()
for _ in range(times):
    try:
        with StateFile(path):
            seen["held"] += 1
            try:
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            except FileExistsError:
                seen["together"] += 1
            else:
                seen["astray"] += not mine()
                mark.unlink()
    except LockedError:
        seen["locked"] += 1
    except Exception as error:
        seen["other"].append(repr(error))
print(json.dumps(seen))
"""


def test_whoever_holds_the_lock_holds_the_file_of_that_path_alone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CONTENDER, str(tmp_path / "state.jsonl"), str(TIMES)]
    pipe = subprocess.PIPE
    contenders = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)]
    for contender in contenders:
        assert contender.stdout is not None
        assert "ready\n" == contender.stdout.readline()
    for contender in contenders:
        assert contender.stdin is not None
        contender.stdin.write("go\n")
        contender.stdin.flush()
    reported = [json.loads(contender.communicate(timeout=120)[0]) for contender in contenders]

    faults = {name: sum(one[name] for one in reported) for name in ("astray", "together")}
    assert {"astray": 0, "together": 0} == faults, reported
    assert [] == [error for one in reported for error in one["other"]]
    assert PROCESSES * TIMES == sum(one["held"] + one["locked"] for one in reported)
    assert sum(one["held"] for one in reported) > PROCESSES  # how many depends on how busy the machine is
