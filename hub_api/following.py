"""Follows the outbox once for all streams of this process, while there is anybody to tell.

What readers missed before they came is read for each (`hub_api.routes.streams`). Nothing is kept of
a reader in Postgres: where it is, it says itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from hub.domain import telling
from hub.domain.delivering import STOCK_CHANGED
from hub.settings import Settings
from hub.store import db, outbox
from hub.store.db import Connection, queries
from hub.store.outbox import Position, Told
from hub.store.sealing import Vault
from hub.store.stock_told import stock_data
from hub.store.waking import Bell
from hub_api.limits import STREAM_START_TIMEOUT_S
from hub_api.mailbox import Mailbox, StreamEvent
from hub_api.postgres import AWAY_ERRORS, PostgresAwayError

AWAY_S = 1.0
APPLICATION = "hub facts"
_log = structlog.get_logger("hub_api.following")


@dataclass(eq=False, frozen=True, slots=True)
class Follower:
    """One reader of facts, or of stock. wants: says whether it is told."""

    box: Mailbox


@dataclass(eq=False, frozen=True, slots=True)
class FactReader(Follower):
    """Who is told facts."""

    wants: Callable[[Told], bool]


@dataclass(eq=False, frozen=True, slots=True)
class StockReader(Follower):
    """Who is told the newest stock: by SKU and place."""

    wants: Callable[[str, str], bool]


class Following:
    """All readers of this process."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self._settings, self._vault = settings, vault
        self._facts: set[FactReader] = set()
        self._stock: set[StockReader] = set()
        self._place: Position | None = None
        self._found = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def count(self) -> int:
        """How many read now."""
        return len(self._facts) + len(self._stock)

    async def join(self, reader: FactReader | StockReader) -> Position:
        """Tell this reader what happens from now on: the place behind which that is.

        Raises `PostgresAwayError` if that place cannot be found in time.
        """
        self._readers_like(reader).add(reader)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            await asyncio.wait_for(self._found.wait(), STREAM_START_TIMEOUT_S)
        except BaseException as error:
            await self.leave(reader)
            if isinstance(error, TimeoutError):
                raise PostgresAwayError(where="streams") from None
            raise
        assert self._place is not None
        return self._place

    async def leave(self, reader: FactReader | StockReader) -> None:
        """Tell it nothing more."""
        self._readers_like(reader).discard(reader)
        if not self.count:
            await self.close()

    async def close(self) -> None:
        """Stop following; who comes next begins anew."""
        task, self._task = self._task, None
        self._place = None
        self._found.clear()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _readers_like(self, reader: FactReader | StockReader) -> set[Any]:
        return self._facts if isinstance(reader, FactReader) else self._stock

    async def _run(self) -> None:
        while True:
            connection: Connection | None = None
            try:
                dsn = self._settings.dsn("writer")
                connection = await db.connect(dsn, application=APPLICATION)
                await self._follow(connection)
            except AWAY_ERRORS as error:
                _log.warning("streams_wait_for_postgres", cause=type(error).__name__)
                await asyncio.sleep(AWAY_S)
            finally:
                if connection is not None:
                    connection.terminate()

    async def _follow(self, connection: Connection) -> None:
        bell = Bell()
        await bell.listen(connection)
        if self._place is None:
            self._place = await outbox.end_of(connection)
        self._found.set()
        while True:
            if not await self._turn(connection, self._place):
                await bell.wait()

    async def _turn(self, connection: Connection, after: Position) -> bool:
        types = None if self._facts else []
        told, until = await outbox.told_after(connection, self._vault, after, types=types)
        if until is None:
            return False
        rows = await stock_between(connection, after, until) if self._stock else []
        # Nothing is awaited from here on: who joins meanwhile is told all behind the place it got.
        self._place = until
        for fact in told:
            self._tell_fact(fact)
        for row in rows:
            self._tell_stock(row, telling.position_text(until))
        return True

    def _tell_fact(self, fact: Told) -> None:
        event: StreamEvent | None = None
        for reader in self._facts:
            if reader.wants(fact):
                event = event or fact_event(fact)
                reader.box.put(fact.position, event)

    def _tell_stock(self, row: Any, position: str) -> None:
        event: StreamEvent | None = None
        for reader in self._stock:
            if reader.wants(row["sku"], row["place"]):
                event = event or stock_event(row, position)
                reader.box.put((row["sku"], row["place"]), event)


def fact_event(fact: Told) -> StreamEvent:
    """A fact as a server-sent event."""
    position = telling.position_text(fact.position)
    return StreamEvent(position, fact.type, msgspec.json.encode(fact.said))


def stock_event(row: Any, position: str) -> StreamEvent:
    """The stock of an item at a place as a server-sent event; row: of the queries of stock."""
    return StreamEvent(position, STOCK_CHANGED, msgspec.json.encode(stock_data(row)))


async def stock_between(connection: Connection, after: Position, until: Position) -> list[Any]:
    """The positions that transactions after one place up to another have changed, as they are."""
    # A place within a transaction is behind all that it changed, one before its first fact is not.
    passed = after[0] if after[1] else max(after[0] - 1, 0)
    return await connection.fetch(queries("streams")["changed_between"], passed, until[0])
