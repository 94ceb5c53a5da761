"""What do we have: the cluster as the plan describes it, and as its hosts show it."""
