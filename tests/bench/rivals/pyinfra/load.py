"""Restart with the certificates; called with --serial."""

from restart import restart

restart("http", 2379)
