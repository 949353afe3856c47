"""Notes which deliveries were taken: those that end at about the same time in one transaction.

Not here: what else may become of a delivery (`streams.deliveries.worker`).
"""

import asyncio
from typing import Any

import asyncpg

from hub.store import deliveries
from hub.store.deliveries import Attempt, Delivery

TOGETHER_MAX = 200
_Noted = asyncio.Future[None]


class Notes:
    """Of one process."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[Delivery, Attempt, _Noted]] = []
        self._some = asyncio.Event()
        self._task = asyncio.create_task(self._run())

    async def delivered(self, delivery: Delivery, attempt: Attempt) -> None:
        """Returns once it is noted; raises what kept it from being."""
        noted: _Noted = asyncio.get_running_loop().create_future()
        self._waiting.append((delivery, attempt, noted))
        self._some.set()
        await noted

    async def close(self) -> None:
        """Forget what is not noted: it will be sent again."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for _, _, noted in self._waiting:
            noted.cancel()

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            batch, self._waiting = (
                self._waiting[:TOGETHER_MAX],
                self._waiting[TOGETHER_MAX:],
            )
            if not self._waiting:
                self._some.clear()
            await self._note(batch)

    async def _note(self, batch: list[tuple[Delivery, Attempt, _Noted]]) -> None:
        error: Exception | None = None
        try:
            async with self._pool.acquire() as connection:
                rows: list[Any] = [(delivery, attempt) for delivery, attempt, _ in batch]
                await deliveries.end_delivered(connection, rows)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as raised:
            error = raised
        for _, _, noted in batch:
            if noted.done():
                continue
            if error is None:
                noted.set_result(None)
            else:
                noted.set_exception(error)
