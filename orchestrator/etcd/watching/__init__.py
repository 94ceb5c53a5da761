"""The watcher: a unit beside each member that notes who speaks plain http to it, and who TLS.

It begins before http is closed, and disturbs nobody (docs/clients.md).
"""

from orchestrator.etcd.watching.making import END, START, begin, end
from orchestrator.etcd.watching.place import Place
from orchestrator.etcd.watching.script import SCRIPT

__all__ = ["END", "SCRIPT", "START", "Place", "begin", "end"]
