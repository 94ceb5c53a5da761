"""What is asked of a host: one module a target, with the script, its reader and the type side by side."""
