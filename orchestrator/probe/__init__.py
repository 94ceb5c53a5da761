"""A client that uses an etcd cluster and counts what it goes through: the lab's, and a run's own."""
