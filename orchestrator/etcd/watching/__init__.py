"""The watcher: a unit beside each member that notes who speaks plain http to it, and who TLS.

It begins before http is closed, and disturbs nobody (docs/clients.md).
"""

from orchestrator.etcd.watching.making import END, START, begin, end
from orchestrator.etcd.watching.place import DIRECTORY, RECORD, UNIT, UNIT_FILE
from orchestrator.etcd.watching.script import SCRIPT

__all__ = ["DIRECTORY", "END", "RECORD", "SCRIPT", "START", "UNIT", "UNIT_FILE", "begin", "end"]
