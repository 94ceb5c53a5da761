"""The command line, the only wiring: arguments, exit codes, signals and prompts; it alone opens the lab."""
