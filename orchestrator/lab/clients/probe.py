"""The prober as a program of its own: ``python -m orchestrator.lab.clients.probe --help``."""

import argparse
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType

from orchestrator.plan.model import Frozen
from orchestrator.probe import http_session, v2, v3
from orchestrator.probe.api import Dialect
from orchestrator.probe.http_session import Endpoint
from orchestrator.probe.login import Login
from orchestrator.probe.prober import Prober
from orchestrator.probe.reach import Reach, endpoint_of
from orchestrator.probe.watch import Watch
from orchestrator.probe.way import Way
from orchestrator.probe.witness import Witness

DIALECTS: Mapping[str, Dialect] = MappingProxyType({"v2": v2, "v3": v3})
WAY_PAUSE_S = 1.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe until SIGTERM, SIGINT or the end of standard input; then write the report."""
    options = _options(arguments)
    stop = stopping()
    reach = of(options)
    own = tuple(options.endpoint)
    reach = replace(reach, endpoints=own) if own else moving(reach, stop)
    prober = Prober(
        reach,
        DIALECTS[options.api],
        interval_s=options.interval_ms / 1000,
        lease_ttl_s=options.lease_ttl_s,
        witness=watching(reach) if options.watch else None,
    )
    leave(prober.run(stop), options.report)
    return 0


def stopping() -> threading.Event:
    """Return what is set by SIGTERM, SIGINT or the end of standard input."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True).start()
    return stop


def of(options: argparse.Namespace) -> Reach:
    """Return the reach that the options of ``parser`` describe."""
    return Reach(
        addresses=tuple(options.address),
        port=options.port,
        trust=http_session.trusting(options.ca, options.certificate, options.key),
        try_timeout_s=options.try_timeout_ms / 1000,
        patience_s=options.patience_s,
        login=Login(options.user, options.password_file.read_text()) if options.user else None,
        extra_port=options.extra_port,
        registry=v2.MEMBERS if options.api == "v2" else v3.MEMBERS,
    )


def moving(reach: Reach, stop: threading.Event) -> Reach:
    """Return the reach of a client that moves to https when every member serves it, watched from now on.

    SIGUSR1 has it move back to http as soon as every member serves that.
    """
    way = Way(reach.answers, reach.addresses, reach.port, reach.extra_port)
    signal.signal(signal.SIGUSR1, lambda *_: setattr(way, "is_going_back", True))
    threading.Thread(target=way.follow, args=(stop, WAY_PAUSE_S), daemon=True).start()
    return replace(reach, way=way)


def watching(reach: Reach) -> Witness:
    """Return a witness whose watch goes the way of a reach."""
    return Witness(v3, partial(Watch, reach.choice(), v3))


def leave(report: Frozen, path: Path) -> None:
    """Write a report where it is expected: all of it, or none."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(report.model_dump_json(indent=2) + "\n")
    unfinished.replace(path)


def parser(program: str, description: str) -> argparse.ArgumentParser:
    """Return what reads the options of a program whose clients use the members."""
    made = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    made.add_argument("--address", action="append", required=True, help="a member's address; once for each")
    made.add_argument("--port", type=int, default=2379, help="the members' client port")
    made.add_argument("--extra-port", type=int, help="where they may serve https beside http")
    made.add_argument("--ca", required=True, help="authority to trust over HTTPS")
    made.add_argument("--certificate", required=True, help="client certificate to show over HTTPS")
    made.add_argument("--key", required=True, help="its private key")
    made.add_argument("--user", help="a user of etcd's own, if its authentication is on")
    made.add_argument("--password-file", type=Path, help="with that user's password")
    made.add_argument("--api", choices=sorted(DIALECTS), default="v3", help="which of etcd's APIs to use")
    made.add_argument("--report", type=Path, required=True, help="where to write the report, as JSON")
    made.add_argument("--interval-ms", type=float, default=10.0, help="from one write to the next")
    made.add_argument("--try-timeout-ms", type=float, default=1000.0, help="patience with one endpoint")
    made.add_argument("--patience-s", type=float, default=5.0, help="patience with one write in all")
    return made


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    made = parser("orchestrator.lab.clients.probe", Prober.__doc__ or "")
    made.add_argument(
        "--endpoint",
        action="append",
        type=_endpoint,
        default=[],
        metavar="URL",
        help="write through this alone, once it has answered; until then through the URLs that follow",
    )
    made.add_argument("--lease-ttl-s", type=int, default=5, help="time to live of the lease; 0 keeps none")
    made.add_argument(
        "--watch", action="store_true", help="watch the writes, and judge the whole history (v3 only)"
    )
    return made.parse_args(arguments)


def _endpoint(text: str) -> Endpoint:
    try:
        return endpoint_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _wait_for_end_of_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
