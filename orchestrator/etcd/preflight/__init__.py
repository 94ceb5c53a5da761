"""Where a unit takes its settings from, and what it hides from its process."""
