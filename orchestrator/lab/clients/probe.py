"""The prober as a program of its own: ``python -m orchestrator.lab.clients.probe --help``."""

import argparse
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from orchestrator.lab.clients import http_session, v2, v3
from orchestrator.lab.clients.api import Dialect
from orchestrator.lab.clients.failover import Reach
from orchestrator.lab.clients.http_session import Endpoint
from orchestrator.lab.clients.prober import Prober
from orchestrator.lab.provisioning.login import Login

DIALECTS: Mapping[str, Dialect] = MappingProxyType({"v2": v2, "v3": v3})


def main(arguments: Sequence[str] | None = None) -> int:
    """Probe until SIGTERM, SIGINT or the end of standard input; then write the report."""
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_wait_for_end_of_input, args=(stop,), daemon=True).start()
    reach = Reach(
        addresses=tuple(options.address),
        port=options.port,
        trust=http_session.trusting(options.ca, options.certificate, options.key),
        try_timeout_s=options.try_timeout_ms / 1000,
        endpoints=tuple(options.endpoint),
        patience_s=options.patience_s,
        login=Login(options.user, options.password_file.read_text()) if options.user else None,
    )
    prober = Prober(
        reach,
        DIALECTS[options.api],
        interval_s=options.interval_ms / 1000,
        lease_ttl_s=options.lease_ttl_s,
        watching=v3 if options.watch else None,
    )
    report = prober.run(stop)
    unfinished = options.report.with_suffix(".unfinished")
    unfinished.write_text(report.model_dump_json(indent=2) + "\n")
    unfinished.replace(options.report)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.lab.clients.probe", description=Prober.__doc__
    )
    parser.add_argument("--address", action="append", required=True, help="a member's address; once for each")
    parser.add_argument("--port", type=int, default=2379, help="the members' client port")
    parser.add_argument("--ca", required=True, help="authority to trust over HTTPS")
    parser.add_argument("--certificate", required=True, help="client certificate to show over HTTPS")
    parser.add_argument("--key", required=True, help="its private key")
    parser.add_argument("--user", help="a user of etcd's own, if its authentication is on")
    parser.add_argument("--password-file", type=Path, help="with that user's password")
    parser.add_argument(
        "--endpoint",
        action="append",
        type=_endpoint,
        default=[],
        metavar="URL",
        help="write through this alone, once it has answered; until then through the URLs that follow",
    )
    parser.add_argument("--api", choices=sorted(DIALECTS), default="v3", help="which of etcd's APIs to use")
    parser.add_argument("--report", type=Path, required=True, help="where to write the report, as JSON")
    parser.add_argument("--interval-ms", type=float, default=10.0, help="from one write to the next")
    parser.add_argument("--try-timeout-ms", type=float, default=1000.0, help="patience with one endpoint")
    parser.add_argument("--patience-s", type=float, default=5.0, help="patience with one write in all")
    parser.add_argument("--lease-ttl-s", type=int, default=5, help="time to live of the lease; 0 keeps none")
    parser.add_argument(
        "--watch", action="store_true", help="watch the writes, and judge the whole history (v3 only)"
    )
    return parser.parse_args(arguments)


def _endpoint(text: str) -> Endpoint:
    url = urlsplit(text)
    if url.scheme != "http" or not url.hostname or not url.port:
        raise argparse.ArgumentTypeError(f"{text!r} is not like http://127.0.0.1:4001")
    return Endpoint("http", url.hostname, url.port)


def _wait_for_end_of_input(stop: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    stop.set()


if __name__ == "__main__":
    sys.exit(main())
