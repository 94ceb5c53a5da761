"""What the trial is called on a host, where its files lie, and what it may take."""

UNIT = "orchestrator-trial"
DIRECTORY = "/run/orchestrator-trial"
OURS = (
    f"{DIRECTORY}/ours"  # our drop-ins as they would be the member's, until the trial gets its copy of them
)
UNIT_FILE = f"/run/systemd/system/{UNIT}.service"
DROP_INS = f"{UNIT_FILE}.d"
COMMAND = "~orchestrator-command.conf"  # what the trial's ExecStart= has otherwise
LAST = (
    "~orchestrator-trial.conf"  # systemd reads drop-ins in the order of their names, and ~ is the last letter
)

DATA_MIB = 256  # of the tmpfs: etcd allocates its log 64 MB at a time, and one segment ahead
MEMORY_MIB = 768  # the tmpfs counts as the trial's memory; etcd itself took 40 MiB (3.4.23)
