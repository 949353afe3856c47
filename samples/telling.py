"""What the hub is told: events are kept in the books with what they tell of, and sent in order
until the hub has them. So nothing is lost while the hub, or this program, is away."""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from samples.books import Books
from samples.hub_client import SHOP, HubClient, HubError

BATCH_MAX = 100
PAUSE_S_MIN, PAUSE_S_MAX = 0.2, 10.0
Event = dict[str, Any]


def event(channel: str, kind: str, subject: str, data: dict[str, Any]) -> Event:
    """A CloudEvent of now."""
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"/channels/{channel}/shops/{SHOP}",
        "type": kind,
        "subject": subject,
        "time": datetime.now(UTC).isoformat(),
        "data": data,
    }


class Telling:
    """Sends what the books hold for the hub."""

    def __init__(self, books: Books, hub: HubClient) -> None:
        self._books = books
        self._hub = hub
        self._wake = asyncio.Event()

    def ring(self) -> None:
        """There is something to tell."""
        self._wake.set()

    async def run(self) -> None:
        """Tell until cancelled."""
        pause_s = PAUSE_S_MIN
        while True:
            try:
                is_done = await self._tell_some()
                pause_s = PAUSE_S_MIN
            except HubError:
                is_done = False
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, PAUSE_S_MAX)
            if is_done:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), PAUSE_S_MAX)
                self._wake.clear()

    async def _tell_some(self) -> bool:
        """True if nothing is left to tell. Raises `HubError` for what may be taken later."""
        batch = self._books.untold(BATCH_MAX)
        if not batch:
            return True
        try:
            await self._hub.post([body for _, body in batch])
        except HubError as error:
            if error.is_passing:
                raise
            await self._one_by_one(batch)
        else:
            self._books.told([seq for seq, _ in batch])
        return False

    async def _one_by_one(self, batch: list[tuple[int, bytes]]) -> None:
        """One that the hub refuses must not hold up the others."""
        for seq, body in batch:
            try:
                await self._hub.post([body])
            except HubError as error:
                if error.is_passing:
                    raise
                self._books.refused(seq, error.words)
            else:
                self._books.told([seq])
