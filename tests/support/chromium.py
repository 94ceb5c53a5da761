"""A real Chromium without a window, driven over a pipe by its own protocol; it reaches no network."""

import base64
import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Literal

Scheme = Literal["light", "dark"]
Answer = dict[str, Any]

# Nothing is fetched, and every name is unknown: a request that a page makes is seen, and goes nowhere.
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


@dataclass
class Browser:
    """One page of a browser; ``events`` are what it told by itself, in order."""

    process: subprocess.Popen[bytes]
    sent: int
    heard: int
    events: list[Answer] = field(default_factory=list)
    session: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _rest: bytes = b""

    def call(self, method: str, **parameters: object) -> Answer:
        """Call a method of the protocol, and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.sent, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: Answer = answer["result"]
                return result
            self.events.append(answer)

    def _next(self) -> Answer:
        while b"\0" not in self._rest:
            chunk = os.read(self.heard, 1 << 20)
            assert chunk, "the browser is gone"
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\0")
        answer: Answer = json.loads(line)
        return answer

    def wait_for(self, method: str) -> Answer:
        """Return the first event of that name, waiting for it."""
        while True:
            found = next((event for event in self.events if event.get("method") == method), None)
            if found:
                return found
            self.events.append(self._next())

    def show(self, page: Path, width: int, scheme: Scheme = "light", media: str = "screen") -> None:
        """Show a file at a width, in a colour scheme, as on a screen or on paper."""
        self.events.clear()
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", media=media, features=[feature])
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False
        )
        self.call("Page.navigate", url=page.resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - whatever it is
        """Return what an expression comes to in the page; it is the test's own script, not the page's."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def picture(self, top: float = 0, height: float = 900) -> bytes:
        """Return a picture of the page in PNG: its whole width, from ``top`` on."""
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        taken = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    def printed(self) -> bytes:
        """Return the page as it is printed, in PDF."""
        self.call("Emulation.setEmulatedMedia", media="")  # as paper wants it
        taken = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(taken["data"])

    @property
    def requests(self) -> list[str]:
        """URLs that were asked for since the page was shown."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]

    @property
    def complaints(self) -> list[str]:
        """What stands in the console: errors, warnings, and what the policy forbade."""
        entries = [event["params"] for event in self.events if event.get("method") == "Log.entryAdded"]
        thrown = [event for event in self.events if event.get("method") == "Runtime.exceptionThrown"]
        return [*(each["entry"]["text"] for each in entries), *map(str, thrown)]


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser whose profile is in a folder of its own, and end it."""
    (their_in, sent), (heard, their_out) = os.pipe(), os.pipe()
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (their_in, their_out)]
    words = ["chromium", *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}', "bash", *words],  # where it wants its pipe
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            pass_fds=ends,
            start_new_session=True,
            env={**os.environ, "HOME": str(folder)},
        )
    for end in (their_in, their_out, *ends):
        os.close(end)
    try:
        page = Browser(process, sent, heard)
        target = page.call("Target.createTarget", url="about:blank")["targetId"]
        page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            page.call(f"{domain}.enable")
        yield page
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(sent)
        os.close(heard)
