"""paramiko's connection, where a host's messages, or several threads at once, would lead it astray."""

import threading
from typing import Any

import paramiko
from paramiko.common import CONNECTION_FAILED_CODE

from orchestrator.remote.heartbeat import Heart
from orchestrator.remote.untrusted import Stream

_EXTENSION_BYTES = 8  # at least: the lengths of a name and of a value (RFC 8308, 2.3)


class Transport(paramiko.Transport):
    """A connection that asks for certain types of host key, the first ones first, and counts to no end.

    Any number of threads may open channels, and each hears why its own was refused.
    """

    wanted: tuple[str, ...] = ()

    def __init__(self, stream: Stream) -> None:
        self._opening = threading.local()  # ``channel``: the number of the one that this thread opens
        self._refusals: dict[int, paramiko.ChannelException] = {}
        # it needs no more of a socket
        super().__init__(stream, packetizer_class=Heart)  # type: ignore[arg-type]

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """The types; paramiko would ask for certificates last."""
        return self.wanted

    def open_channel(self, *given: Any, **named: Any) -> paramiko.Channel:  # noqa: ANN401 -- paramiko's own
        """Open a channel; what a host says of one that was given up is nobody's reason any more."""
        try:
            return super().open_channel(*given, **named)
        finally:
            with self.lock:
                channel = self._opening.__dict__.pop("channel", None)
                self.channel_events.pop(channel, None)
                self._refusals.pop(channel, None)

    def get_exception(self) -> Exception | None:
        """Return why this thread's channel was refused, or else what ended the connection.

        paramiko keeps the last refusal alone, for whichever thread asks first; the others hear of no reason,
        or of another channel's. Source: its issue 1508.
        """
        return self._refusals.get(getattr(self._opening, "channel", -1)) or super().get_exception()

    def _next_channel(self) -> int:
        channel: int = super()._next_channel()  # type: ignore[misc]
        self._opening.channel = channel
        return channel

    def _parse_channel_open_failure(self, msg: paramiko.Message) -> None:
        channel, code = msg.get_int(), msg.get_int()
        with self.lock:
            opener = self.channel_events.pop(channel, None)
            if opener is not None:  # and not some number that nobody has asked for
                reason = CONNECTION_FAILED_CODE.get(code, "(unknown code)")
                self._refusals[channel] = paramiko.ChannelException(code, reason)
                self._unlink_channel(channel)  # type: ignore[attr-defined]
                opener.set()

    def _parse_ext_info(self, msg: paramiko.Message) -> None:
        """Refuse more extensions than the message can hold: paramiko would read that many empty ones.

        Four thousand million of them keep a core busy for hours, and nothing ends that thread.
        """
        held = msg.get_remainder()
        count = paramiko.Message(held).get_int()
        if count * _EXTENSION_BYTES > len(held):
            raise paramiko.SSHException(f"it announces {count} extensions in {len(held)} bytes")
        super()._parse_ext_info(msg)  # type: ignore[misc]
