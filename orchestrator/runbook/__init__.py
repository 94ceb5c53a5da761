"""What will we do: every step, in order, complete before the first change."""
