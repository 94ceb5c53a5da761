"""What does etcd need: its settings, its commands, and the gates that look at it."""
