"""Wakes those who follow the outbox, after a COMMIT: what they wait is no longer than the way.

Who writes facts rings; a burst rings once. Who follows listens, and looks by itself now and then,
since not everyone who writes rings and a ring may be lost. Ringing is a transaction of its own,
on a connection of its own: a NOTIFY within the write would have all writes commit one by one.
"""

import asyncio
import contextlib
from typing import Any

import asyncpg

from hub.store import db
from hub.store.db import Connection

CHANNEL = "hub_facts"
GAP_S = 0.004
"""Between two rings of one process: what commits meanwhile is heard with the next."""
NET_S = 0.1
"""Between two looks of who follows and hears nothing."""
AWAY_S = 1.0


class Bell:
    """What a follower waits at. Rung by others' writes, or by itself (`ring`)."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    async def listen(self, connection: Connection) -> None:
        """Hear rings for as long as this connection lives; it may do other work beside."""
        await connection.add_listener(CHANNEL, self._heard)

    def ring(self) -> None:
        """Wake who waits here."""
        self._rung.set()

    async def wait(self, timeout_s: float = NET_S) -> None:
        """Return at the first ring since the last time, or after `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._rung.wait()
        self._rung.clear()

    def _heard(self, *_: Any) -> None:
        self._rung.set()


class Ringer:
    """Rings for one process that writes facts."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; connects when there is something to ring for."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End; what was not rung yet is seen at the next look."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ring(self) -> None:
        """There are new facts: say so soon. Costs the caller nothing."""
        self._wanted.set()

    async def _run(self) -> None:
        connection: Connection | None = None
        try:
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                try:
                    if connection is None or connection.is_closed():
                        connection = await db.connect(self._dsn)
                    await connection.execute(f"notify {CHANNEL}")
                except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                    connection = _dropped(connection)
                    await asyncio.sleep(AWAY_S)
                await asyncio.sleep(GAP_S)
        finally:
            _dropped(connection)


def _dropped(connection: Connection | None) -> None:
    if connection is not None:
        connection.terminate()
