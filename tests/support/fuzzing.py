"""How long the fuzz targets run: bounded in the gate, longer under make fuzz."""

import os

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
