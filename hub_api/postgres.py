"""The API's two pools of connections: one that reads, one that writes keys' use.

A pool starts without a connection, so the API comes up before Postgres does. Not here: queries
(`hub.store`).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import asyncpg

from hub.errors import HubError
from hub.settings import Role, Settings
from hub.store import db
from hub_api.limits import (
    POSTGRES_ACQUIRE_TIMEOUT_S,
    POSTGRES_CONNECT_TIMEOUT_S,
    POSTGRES_QUERY_TIMEOUT_S,
    POSTGRES_READERS_MAX,
    POSTGRES_WRITERS_MAX,
)

# What a restart, a killed backend or a server that is full or gone looks like from here.
AWAY_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
CLOSE_TIMEOUT_S = 3.0
_Result = TypeVar("_Result")


class PostgresAwayError(HubError):
    """Postgres does not answer."""


class Database:
    """Runs reads and small writes, each on a pooled connection and within a timeout."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reader: asyncpg.Pool | None = None
        self._writer: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Make the pools; connects to nothing yet."""
        self._reader = await self._pool("reader", POSTGRES_READERS_MAX)
        self._writer = await self._pool("writer", POSTGRES_WRITERS_MAX)

    async def close(self) -> None:
        """Close all connections, the hard way if they don't end in time."""
        for pool in (self._reader, self._writer):
            if pool is None:
                continue
            try:
                await asyncio.wait_for(pool.close(), CLOSE_TIMEOUT_S)
            except AWAY_ERRORS:
                pool.terminate()

    async def read(self, work: Callable[[Any], Awaitable[_Result]]) -> _Result:
        """Do a read; tried once more if its connection was dead, since reading changes nothing."""
        try:
            return await self._on(self._reader, work)
        except PostgresAwayError:
            return await self._on(self._reader, work)

    async def write(self, work: Callable[[Any], Awaitable[_Result]]) -> _Result:
        """Do a write, once, in a transaction of its own."""
        return await self._on(self._writer, work)

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[Any]:
        """A connection for writes; transactions are the caller's."""
        async with self._of(self._writer) as connection:
            yield connection

    async def _on(
        self, pool: asyncpg.Pool | None, work: Callable[[Any], Awaitable[_Result]]
    ) -> _Result:
        async with self._of(pool) as connection:
            return await work(connection)

    @contextlib.asynccontextmanager
    async def _of(self, pool: asyncpg.Pool | None) -> AsyncIterator[Any]:
        assert pool is not None, "the database is used before the app started"
        try:
            async with pool.acquire(timeout=POSTGRES_ACQUIRE_TIMEOUT_S) as connection:
                yield connection
        except AWAY_ERRORS as error:
            raise PostgresAwayError(where=type(error).__name__) from error

    async def _pool(self, role: Role, size: int) -> asyncpg.Pool:
        return await asyncpg.create_pool(
            self._settings.dsn(role),
            min_size=0,
            max_size=size,
            timeout=POSTGRES_CONNECT_TIMEOUT_S,
            command_timeout=POSTGRES_QUERY_TIMEOUT_S,
            init=db.prepare,
            server_settings={
                "application_name": f"hub_api {role}",
                "search_path": "hub",
                "statement_timeout": str(int(POSTGRES_QUERY_TIMEOUT_S * 1000)),
                "default_transaction_read_only": "on" if role == "reader" else "off",
            },
        )
