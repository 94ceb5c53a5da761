"""Where things lie on the hosts' disks, so that they outlast a reboot and the bastion; for root alone."""

KEPT = "/var/lib/orchestrator"
EDITED = f"{KEPT}/edited"  # each file of the operator's that a run has edited, as it left it, under its path
REPLACED = f"{KEPT}/replaced"  # each file of a client's that a run has replaced, as it was, under its path


def lock(kept: str = KEPT) -> str:
    """Return the directory of the host's lock."""
    return f"{kept}/lock"


def holder(kept: str = KEPT) -> str:
    """Return the file that says who holds the host's lock."""
    return f"{lock(kept)}/holder"


def of_run(run: str, kept: str = KEPT) -> str:
    """Return the directory of what a run keeps: what was there before, and its own story."""
    return f"{kept}/{run}"


def header(run: str, kept: str = KEPT) -> str:
    """Return the copy of the state file's first line."""
    return f"{of_run(run, kept)}/header.json"


def begun(run: str, kept: str = KEPT) -> str:
    """Return the list of the jobs that a run began on this host, by name."""
    return f"{of_run(run, kept)}/begun"
