"""A server that takes what is posted to it."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Takes events: each body, and what came with it. ``answer`` is what it says to a POST."""

    def __init__(self, answer: int = 204) -> None:
        self.answer = answer
        self.bodies: list[bytes] = []
        self.types: set[str | None] = set()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.server.bodies.append(self.rfile.read(length))
        self.server.types.add(self.headers["Content-Type"])
        self.send_response(self.server.answer)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:  # noqa: ANN401 -- http.server's own
        """Say nothing."""


@contextmanager
def serving(answer: int = 204, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server(answer) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
