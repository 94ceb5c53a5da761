"""What the command lines of this machine's processes show, the lab's hosts' too."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def watching_command_lines(secrets: set[str]) -> Iterator[list[str]]:
    """Read the command line of every process, the hosts' too, over and over; yield those with a secret."""
    over, found = threading.Event(), list[str]()
    looks = 0

    def watch() -> None:
        nonlocal looks
        while not over.is_set():
            # a glob would look into each, and fail over one that ends meanwhile
            for path in (path for path in Path("/proc").iterdir() if path.name.isdigit()):
                try:
                    line = (path / "cmdline").read_bytes().decode(errors="replace")
                except OSError:
                    continue  # it has ended
                found.extend(line for secret in secrets if secret in line)
            looks += 1
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        over.set()
        watcher.join()
    assert looks > 20
