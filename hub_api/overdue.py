"""What ends by time: a task that ends it soon after it is due. Not here: what that means.

Any number of API processes may do it: what one holds, the others leave out.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import structlog

from hub.errors import HubError
from hub.store import coupon_expiry, order_commands, reservations, spending, tier_reviews
from hub.store.sealing import Vault
from hub_api.limits import OVERDUE_EVERY_S
from hub_api.postgres import Database, PostgresAwayError

_log = structlog.get_logger("hub_api.overdue")
Job = Callable[[], Awaitable[int]]
"""Ends what is overdue now in the caller's transaction, a limited number; how many."""


async def end_overdue(database: Database, vault: Vault) -> None:
    """End what is overdue every OVERDUE_EVERY_S, until cancelled."""
    while True:
        await asyncio.sleep(OVERDUE_EVERY_S)
        try:
            ended = await database.write(lambda connection: end_once(connection, vault))
        except PostgresAwayError as error:
            _log.warning("overdue_not_ended", cause=error.where)
        else:
            if ended:
                _log.info("overdue_ended", ended=ended)


async def end_once(connection: Any, vault: Vault) -> int:
    """End what is overdue now, each noun in a transaction of its own; how many.

    One noun that fails keeps no other from ending: a deadlock, or something that ended meanwhile,
    is seen again at the next look.
    """
    ended = 0
    for noun, job in _jobs(connection, vault).items():
        try:
            async with connection.transaction():
                ended += await job()
        except (HubError, asyncpg.PostgresError) as error:
            if connection.is_closed():
                raise
            _log.warning("overdue_not_ended", noun=noun, cause=type(error).__name__)
    return ended


def _jobs(connection: Any, vault: Vault) -> dict[str, Job]:
    now = datetime.now(UTC)
    return {
        "reservations": lambda: reservations.expire_overdue(connection, vault, now),
        "orders": lambda: order_commands.default_overdue(connection, vault, now),
        "coupons": lambda: coupon_expiry.expire_overdue(connection, vault),
        "points": lambda: spending.close_due(connection, vault),
        "tiers": lambda: tier_reviews.review_due(connection, vault),
    }
