"""What this machine lends the lab: its programs, networks, processes and control groups."""
