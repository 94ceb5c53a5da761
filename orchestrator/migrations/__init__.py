"""What changes: migrations as tables of states and rounds."""

from orchestrator.migrations.bridge import BRIDGE
from orchestrator.migrations.guide import GUIDE
from orchestrator.migrations.table import Migration

MIGRATIONS: dict[str, Migration] = {migration.name: migration for migration in (BRIDGE, GUIDE)}
