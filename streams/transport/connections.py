"""Connections to Postgres for handlers: one transaction each time, dropped after any error.

After an error, or a cancel in the middle of COMMIT, a connection's state is not known, so it is
never used again. Not here: what is sent over it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg

CONNECT_TIMEOUT_S = 5
CLOSE_TIMEOUT_S = 0.5
# No single statement of a write takes this long unless something hangs.
STATEMENT_TIMEOUT_S = 20
# What the server does about a worker that is paused, or gone with its machine: its open
# transaction holds row locks that the partition's next owner waits for.
SERVER_SETTINGS = {
    "application_name": "hub-streams",
    "idle_in_transaction_session_timeout": "5s",
    "client_connection_check_interval": "2s",
    "tcp_user_timeout": "10s",
    "statement_timeout": f"{STATEMENT_TIMEOUT_S}s",
}

Setup = Callable[[asyncpg.Connection], Awaitable[None]]


class Connections:
    """At most `size` connections, made when needed."""

    def __init__(self, dsn: str, size: int, setup: Setup | None = None) -> None:
        """`setup` is called with each new connection (codecs, session settings)."""
        self._dsn = dsn
        self._setup = setup
        self._room = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A transaction: COMMIT at the end of the block, the connection dropped on an error."""
        async with self._room:
            connection = await self._take()
            try:
                await connection.execute("begin")
                yield connection
                await connection.execute("commit")
            except BaseException:
                connection.terminate()
                raise
            self._idle.append(connection)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection without a transaction, fresh after any failure."""
        async with self._room:
            connection = await self._take()
            try:
                yield connection
            except BaseException:
                connection.terminate()
                raise
            self._idle.append(connection)

    async def close(self) -> None:
        """Close what is idle; what is in use is dropped by whoever uses it."""
        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.close(timeout=CLOSE_TIMEOUT_S)
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()

    async def _take(self) -> asyncpg.Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=STATEMENT_TIMEOUT_S,
            server_settings=SERVER_SETTINGS,
        )
        if self._setup is not None:
            await self._setup(connection)
        return connection
