"""The phases of a run, each a function of its own; run.py and rollback.py say in which order they come."""
