"""What the watcher is called on a host, where its files lie, and how long it goes on if nobody ends it."""

from orchestrator.host import places

UNIT = "orchestrator-watching"
UNIT_FILE = f"/etc/systemd/system/{UNIT}.service"
DIRECTORY = f"{places.KEPT}/watching"
SCRIPT_FILE = f"{DIRECTORY}/watch"
RECORD = f"/run/{UNIT}/record"
STARTED = f"{DIRECTORY}/started"  # what the one that runs was started with

LASTS_S = 30 * 86400
TICK_S = 3  # how often it asks who is connected, and writes its record
STALE_S = 30  # a record that was not written for so long is that of a watcher that is gone or stuck
MEMORY_MIB = 96
