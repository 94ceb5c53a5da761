"""The lab's writing client, which also notes when each write was acknowledged: ``python -m bench.noting``.

The times lie beside its report, as seconds of the machine's monotonic clock, so that somebody who knows when
something was under way can tell how long it was that no write came through.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from orchestrator.lab.clients import probe
from orchestrator.probe import v3
from orchestrator.probe.prober import Prober
from orchestrator.probe.watch import Watch
from orchestrator.probe.witness import Witness

LEASE_TTL_S = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe until SIGTERM, SIGINT or the end of standard input; then write the times and the report."""
    options = probe.parser("bench.noting", main.__doc__ or "").parse_args(arguments)
    stop = probe.stopping()
    reach = probe.moving(probe.of(options), stop)
    witness = Witness(v3, partial(Watch, reach.choice(), v3))
    interval_s = options.interval_ms / 1000
    prober = Prober(reach, v3, interval_s=interval_s, lease_ttl_s=LEASE_TTL_S, witness=witness)
    report = prober.run(stop)
    ended = [write.ended for write in witness.history.writes if write.revision is not None]
    times_beside(options.report).write_text(json.dumps(ended))
    probe.leave(report, options.report)
    return 0


def times_beside(report: Path) -> Path:
    """Return where the times of that report's writes lie."""
    return report.with_suffix(".times")


def longest_stall(times: Iterable[float], since: float, until: float) -> float:
    """Return the longest time between two acknowledged writes of which a part lies in that window."""
    gaps = (later - earlier for earlier, later in pairwise(times) if earlier < until and later > since)
    return round(max(gaps, default=until - since), 3)


if __name__ == "__main__":
    sys.exit(main())
