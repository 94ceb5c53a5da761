"""What the trial is called on a host, where its files lie, and what it may take."""

UNIT = "orchestrator-trial"
DIRECTORY = "/run/orchestrator-trial"
UNIT_FILE = f"/run/systemd/system/{UNIT}.service"
DROP_INS = f"{UNIT_FILE}.d"
LAST = (
    "~orchestrator-trial.conf"  # systemd reads drop-ins in the order of their names, and ~ is the last letter
)

DATA_MIB = 256  # of the tmpfs: etcd allocates its log 64 MB at a time, and one segment ahead
MEMORY_MIB = 768  # the tmpfs counts as the trial's memory; etcd itself took 40 MiB (3.4.23)
