"""One write, tried until it is known to have counted: the outcome of a COMMIT may be unknown.

Not here: which write comes next (`streams.transport.lanes`).
"""

import asyncio
import logging
import random
from typing import Any

import asyncpg

from hub.store.offsets import FencedError
from streams.transport.batch import Batch, BatchHandler
from streams.transport.config import STORE_TIMEOUT_S
from streams.transport.state import TransportState

log = logging.getLogger(__name__)

BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0
# What passes by itself: the server is away or restarts, a deadlock, a statement cut short.
TRANSIENT = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)


class Settling:
    """Stores batches through a handler and retries in place for as long as a fault lasts."""

    def __init__(self, handler: BatchHandler, state: TransportState, lane: str) -> None:
        """The state learns of trouble in this lane, so that readiness and the watchdog do."""
        self._lane = lane
        self._handler = handler
        self._state = state

    async def store(self, decoded: Any, batch: Batch) -> None:
        """Return when the batch is in Postgres; raise `FencedError` if it must not be.

        No other error leaves here: giving up would lose the batch, and dropping it is what the
        handler's dead letters are for.
        """
        attempt = 0
        while True:
            try:
                async with asyncio.timeout(STORE_TIMEOUT_S):
                    if attempt == 0 or not await self._is_stored(batch):
                        await self._handler.store(decoded, batch)
            except FencedError:
                raise
            except Exception as error:  # noqa: BLE001 - nothing may be lost, whatever it is
                attempt += 1
                self._report(error, batch, attempt)
                await asyncio.sleep(backoff_s(attempt))
            else:
                self._state.trouble.pop(self._lane, None)
                return

    async def _is_stored(self, batch: Batch) -> bool:
        """Whether an earlier try counted after all: all slices moved, or none."""
        stored = await self._handler.stored_offsets(batch.partitions)
        ends, starts = 0, 0
        for part in batch.slices:
            place = stored.get(part.tp)
            at = part.first_offset if place is None else place.next_offset
            ends += at == part.next_offset
            starts += at == part.first_offset
        if ends == len(batch.slices):
            return True
        if starts == len(batch.slices):
            return False
        raise FencedError(f"the offsets of {batch.partitions} were moved by another worker")

    def _report(self, error: Exception, batch: Batch, attempt: int) -> None:
        self._state.trouble[self._lane] = f"{type(error).__name__}: {error}"[:200]
        self._state.metrics.retries.inc()
        transient = isinstance(error, TRANSIENT)
        log.log(
            logging.WARNING if transient else logging.ERROR,
            "storing %d records of %s failed (try %d), trying again: %r",
            *(batch.size, batch.moves, attempt, error),
            exc_info=not transient,
        )


def backoff_s(attempt: int) -> float:
    """50 ms, doubled up to 2 s, the upper half of it by chance."""
    longest = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(attempt - 1, 10))
    return longest * random.uniform(0.5, 1.0)
