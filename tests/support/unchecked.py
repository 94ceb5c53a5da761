"""Our program without its checks before the first change: what they find, the trial has to find too.

Usage: unchecked.py ARGUMENTS, as of orchestrator itself.
"""

import sys
from dataclasses import replace

from orchestrator import migrations
from orchestrator.__main__ import main
from orchestrator.etcd.checks.item import FACTS, LOGIN

if __name__ == "__main__":
    for name, migration in migrations.MIGRATIONS.items():
        migrations.MIGRATIONS[name] = replace(migration, preflight=(LOGIN, FACTS))
    sys.exit(main())
