"""How do we touch a host: over SSH, or, in a dry run, only with our eyes."""

import sys

# paramiko imports invoke for one thing, "Match exec", which ssh_config.py leaves to OpenSSH's own program.
# With it come argument parsers and unittest: 60 of the 510 ms of imports of a command that touches hosts.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]  # None: not to be imported
