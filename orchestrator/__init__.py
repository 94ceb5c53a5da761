"""Move a running etcd cluster from HTTP to HTTPS without losing a write."""

__version__ = "0.1.0"
