"""A download: a script's output as it comes, compressed, into a file on the bastion."""

import base64
import binascii
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from orchestrator.errors import RefusedError
from orchestrator.host.questions import Answer, Download
from orchestrator.remote.conversation import Conversation, prepare
from orchestrator.remote.script import answer_of, download_script

_PART = "orchestrator-part "
_SLACK_S = 6.0  # beyond the time that the script itself may take
_STEP_BYTES = 4 << 20  # so much of it is in memory at once, however well it was compressed


def download(conversation: Conversation, wanted: Download) -> Answer:
    """Run a download's script in a new shell and write what it prints; what was said on stderr is the answer.

    ValueError for what cannot be read, or is more than was wanted; RefusedError if it cannot be written here.
    """
    prepare(conversation)
    conversation.say(download_script(wanted).encode())
    within_s, unpacked = wanted.timeout_s + _SLACK_S, _Unpacked(wanted.most_bytes)
    with _private(wanted.into) as file, conversation.within(within_s):
        while (line := conversation.line(within_s)).startswith(_PART):
            for step in unpacked.steps(line.removeprefix(_PART)):
                with _here(wanted.into):
                    left = memoryview(step)
                    while left:
                        left = left[file.write(left) :]
    answer = answer_of(line)
    if answer.exit_status == 0 and not unpacked.is_whole:
        raise ValueError("it was cut short")
    return answer


class _Unpacked:
    """What comes out of the parts of one gzip stream, in their order."""

    def __init__(self, most_bytes: int) -> None:
        self._left_bytes = most_bytes
        self._reading = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    @property
    def is_whole(self) -> bool:
        """Whether the stream has come to its end."""
        return self._reading.eof

    def steps(self, part: str) -> Iterator[bytes]:
        """Yield the content of one part, a little at a time."""
        try:
            packed = base64.b64decode(part, validate=True)
            if not packed:
                raise ValueError("a part has nothing in it")
            while packed:
                if self._reading.eof:
                    raise ValueError("something came behind its end")
                step = self._reading.decompress(packed, _STEP_BYTES)
                packed = self._reading.unconsumed_tail or self._reading.unused_data
                self._left_bytes -= len(step)
                if self._left_bytes < 0:
                    raise ValueError("it is larger than was announced")
                yield step
        except (binascii.Error, zlib.error) as error:
            raise ValueError(f"a part is garbled: {error}") from error


def _private(path: Path) -> FileIO:
    """Open a file that is there to write it anew, if it is ours and nobody else may read it."""
    with _here(path):
        file = FileIO(os.open(path, os.O_WRONLY | os.O_NOFOLLOW), "wb")
        found = os.fstat(file.fileno())
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077 == 0:
            file.truncate()
            return file
    file.close()
    raise RefusedError(f"{path} on this machine is no private file of yours: nothing was copied there")


@contextmanager
def _here(path: Path) -> Iterator[None]:
    """Tell what goes wrong on this machine's disk from what goes wrong with a host."""
    try:
        yield
    except OSError as error:
        raise RefusedError(f"{path} on this machine: {error.strerror}") from error
