"""What a plan becomes before a host boots: the lab's copy, its keys and certificates, each host's files."""
