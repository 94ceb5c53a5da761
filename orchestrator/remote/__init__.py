"""How do we touch a host: over SSH, or, in a dry run, only with our eyes."""
