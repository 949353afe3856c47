"""What ends by time: one line a noun, and how all that is due is ended.

Not here: what an ending means (the noun's own module), and who looks how often: the API each
second, and Dagster's jobs, which catch up on what no API was there to end.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from hub.store import (
    coupon_expiry,
    coupon_verifications,
    db,
    order_commands,
    reservations,
    spending,
    tier_reviews,
)
from hub.store.db import Connection
from hub.store.sealing import Vault

TRIES_MAX = 3
"""A deadlock rolls back and is tried again at once; three in a row are more than bad luck."""


@dataclass(frozen=True)
class Overdue:
    """Things of one noun that end by time. end: ends some of those that are due, in the caller's
    transaction, and says how many; 0 when none are left that nobody else holds."""

    name: str
    end: Callable[[Connection, Vault], Awaitable[int]]


@dataclass(frozen=True)
class Ended:
    """What became of it. is_done: False if time was up before nothing was due any more."""

    decisions: int
    rounds: int
    is_done: bool


async def _reservations(connection: Connection, vault: Vault) -> int:
    return await reservations.expire_overdue(connection, vault, datetime.now(UTC))


async def _deposits(connection: Connection, vault: Vault) -> int:
    return await order_commands.default_overdue(connection, vault, datetime.now(UTC))


async def _coupons(connection: Connection, vault: Vault) -> int:
    return await coupon_expiry.expire_overdue(connection, vault)


async def _verifications(connection: Connection, vault: Vault) -> int:
    return await coupon_verifications.give_up_overdue(connection, vault)


async def _points(connection: Connection, vault: Vault) -> int:
    return await spending.close_due(connection, vault)


async def _tiers(connection: Connection, vault: Vault) -> int:
    return await tier_reviews.review_due(connection, vault)


OVERDUE: tuple[Overdue, ...] = (
    Overdue("reservations", _reservations),
    Overdue("deposits", _deposits),
    Overdue("coupons", _coupons),
    Overdue("verifications", _verifications),
    Overdue("points", _points),
    Overdue("tiers", _tiers),
)


async def end_all(dsn: str, vault: Vault, one: Overdue, timeout_s: float) -> Ended:
    """End what is due of one noun until nothing is, in as many transactions as that takes.

    dsn: of the writer. Idempotent, and safe beside others that do the same. Raises HubError and
    Postgres's errors; what was ended before stays ended.
    """
    deadline = time.monotonic() + timeout_s
    connection = await db.connect(dsn)
    try:
        decisions = rounds = 0
        while time.monotonic() < deadline:
            ended = await _round(connection, vault, one)
            if not ended:
                return Ended(decisions, rounds, is_done=True)
            decisions += ended
            rounds += 1
        return Ended(decisions, rounds, is_done=False)
    finally:
        await connection.close()


async def _round(connection: Connection, vault: Vault, one: Overdue) -> int:
    for tried in range(1, TRIES_MAX + 1):
        try:
            async with connection.transaction():
                return await one.end(connection, vault)
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if tried == TRIES_MAX:
                raise
    raise AssertionError("unreachable: the last try returns or raises")
