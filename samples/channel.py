"""A channel as a program: its books, its line to the hub, and the tasks that keep both in step."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from samples.books import Books
from samples.following import Following
from samples.hub_client import HubClient, HubError
from samples.shop import Shop
from samples.telling import Telling


@dataclass(frozen=True)
class Setup:
    """Who this is and where. own_url: where the hub reaches it; folder: where its books are."""

    hub_url: str
    channel: str
    key: str
    own_url: str
    folder: Path


class Channel:
    """All parts of one channel, while its program runs."""

    def __init__(self, setup: Setup, prefix: str) -> None:
        self.books = Books(setup.folder / f"{setup.channel}.sqlite")
        self.hub = HubClient(setup.hub_url, setup.channel, setup.key)
        self.telling = Telling(self.books, self.hub)
        self.following = Following(self.books, self.hub, setup.own_url)
        self.shop = Shop(prefix, self.books, self.hub, self.telling)

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, setup: Setup, prefix: str, has_shelves: bool) -> AsyncIterator[Self]:
        """From start to end. has_shelves: this one counts the bakery's stock."""
        channel = cls(setup, prefix)
        tasks = [
            asyncio.create_task(_or_end(channel.telling.run())),
            asyncio.create_task(_or_end(channel._begin(has_shelves))),
        ]
        try:
            yield channel
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await channel.hub.close()
            channel.books.close()

    async def _begin(self, has_shelves: bool) -> None:
        await self.following.subscribe()
        self.shop.open()
        if has_shelves:
            await self.shop.fill_shelves()


async def _or_end(work: Coroutine[Any, Any, None]) -> None:
    """A key that is wrong does not mend by waiting: the program ends, and says why."""
    try:
        await work
    except HubError as error:
        sys.stderr.write(f"the hub refused ({error.status}): {error.words}\n")
        signal.raise_signal(signal.SIGTERM)
