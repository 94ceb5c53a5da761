"""What can be done to a host, asked of it and found there: words only, and nothing that does it."""
