"""What a reader of a stream has not been sent yet: bounded, however slow the reader is. No I/O."""

import asyncio
import contextlib
from collections.abc import Hashable
from typing import NamedTuple


class StreamEvent(NamedTuple):
    """One server-sent event. id: where it stands, which a reader gives back to go on behind it."""

    id: str
    name: str
    data: bytes

    def wire(self) -> bytes:
        """As it is written; data is one line of JSON."""
        return f"id: {self.id}\nevent: {self.name}\ndata: ".encode() + self.data + b"\n\n"


class Mailbox:
    """Of one reader. What has the same key as something that waits takes its place, at the end."""

    def __init__(self, events_max: int, bytes_max: int) -> None:
        self._events_max, self._bytes_max = events_max, bytes_max
        self._waiting: dict[Hashable, StreamEvent] = {}
        self._bytes = 0
        self._some = asyncio.Event()
        self.is_overrun = False

    def put(self, key: Hashable, event: StreamEvent) -> None:
        """Keep it for the reader; one who is too far behind gets no more, and has to come anew."""
        if self.is_overrun:
            return
        before = self._waiting.pop(key, None)
        self._bytes += len(event.data) - (len(before.data) if before else 0)
        self._waiting[key] = event
        if len(self._waiting) > self._events_max or self._bytes > self._bytes_max:
            self.is_overrun = True
            self._waiting.clear()
        self._some.set()

    async def take(self, timeout_s: float) -> list[StreamEvent]:
        """All that waits, once there is something; nothing after `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._some.wait()
        self._some.clear()
        taken, self._waiting, self._bytes = list(self._waiting.values()), {}, 0
        return taken
