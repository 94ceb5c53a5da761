"""What can go wrong while a cluster is migrated, and striking at a moment of a run."""
