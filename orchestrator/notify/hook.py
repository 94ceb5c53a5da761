"""A program of the operator's, started once for each event."""

import os
import signal
import subprocess
from contextlib import suppress
from tempfile import TemporaryFile
from typing import BinaryIO

from orchestrator.notify.channel import Notice, NotSentError
from orchestrator.output import plain
from orchestrator.report import event_lines, sentences
from orchestrator.text import escaped

LIMIT_S = 10.0
_SHOWN_BYTES = 300  # of what a hook that failed said
_LONGEST = 4000  # characters of a sentence: an environment has its limits


class Hook:
    """Starts the program, waits for it, and ends it with all that it started if it takes too long.

    It reads a file, not a pipe: a program that does not read keeps nobody waiting.
    """

    is_sent_at_end = False

    def __init__(self, argv: tuple[str, ...], limit_s: float = LIMIT_S) -> None:
        self._argv, self._limit_s = argv, limit_s
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopped = False

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"hook {self._argv[0]}"

    def send(self, notice: Notice) -> None:
        """Start it with the event; raises NotSentError if it fails or takes too long."""
        with TemporaryFile() as given, TemporaryFile() as said:
            given.write(event_lines.text(notice.line).encode() + b"\n")
            given.seek(0)
            code = self._ended(given, said, variables(notice))
            if code:
                said.seek(0)
                words = escaped(said.read(_SHOWN_BYTES).decode(errors="replace").strip(), keep="")
                raise NotSentError(f"it ended with exit code {code}{words and f': {words}'}")

    def _ended(self, given: BinaryIO, said: BinaryIO, own: dict[str, str]) -> int:
        self._process = subprocess.Popen(
            self._argv,
            stdin=given,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**os.environ, **own},
            start_new_session=True,  # Ctrl-C at our terminal is not meant for it
        )
        try:
            return self._process.wait(0 if self._is_stopped else self._limit_s)
        except subprocess.TimeoutExpired as late:
            self._kill(self._process)
            self._process.wait()
            raise NotSentError(
                f"it was ended: it had not come to its end within {late.timeout:g} s"
            ) from late
        finally:
            self._process = None

    def close(self) -> None:
        """Behind the last event there is nothing to do."""

    def stop(self) -> None:
        """End what is under way."""
        self._is_stopped = True
        if process := self._process:
            self._kill(process)

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def variables(notice: Notice) -> dict[str, str]:
    """Return what a hook finds in its environment: the event in short, and as a sentence."""
    line = notice.line
    step = getattr(line.event, "step", "")
    spoken = plain(sentences.of_event(line.event, notice.view)) if notice.view else ""
    return {
        "ORCHESTRATOR_EVENT": line.event.event,
        "ORCHESTRATOR_CLUSTER": line.cluster,
        "ORCHESTRATOR_RUN": line.run or "",
        "ORCHESTRATOR_STEP": step,
        "ORCHESTRATOR_HOST": getattr(line.event, "host", "") if step else "",  # others' is not the step's
        "ORCHESTRATOR_TEXT": escaped(spoken, keep="")[:_LONGEST],
    }
