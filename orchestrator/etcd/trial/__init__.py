"""The trial: a member's own unit, under another name and with its final settings, before anything restarts.

Whatever would make the member's next start fail makes the trial fail first, while nothing depends on it:
systemd gives it the same user, sandbox, limits, environment and program (docs/proof.md). All members' trials
form a cluster of their own over TLS, so that etcd's own dialler shows who reaches whom.
"""

from orchestrator.etcd.trial.copying import COPY
from orchestrator.etcd.trial.looking import LEFT, LOOK, TrialStatus, left, status
from orchestrator.etcd.trial.making import END, begin, end
from orchestrator.etcd.trial.place import DIRECTORY, DROP_INS, MEMORY_MIB, OURS, UNIT
from orchestrator.etcd.trial.urls import urls

__all__ = [
    "COPY",
    "DIRECTORY",
    "DROP_INS",
    "END",
    "LEFT",
    "LOOK",
    "MEMORY_MIB",
    "OURS",
    "UNIT",
    "TrialStatus",
    "begin",
    "end",
    "left",
    "status",
    "urls",
]
