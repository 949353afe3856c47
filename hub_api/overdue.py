"""What ends by time: a task that ends it soon after it is due. Not here: what that means.

Any number of API processes may do it: what one holds, the others leave out.
"""

import asyncio
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


async def end_overdue(database: Database, vault: Vault) -> None:
    """End what is overdue every OVERDUE_EVERY_S, until cancelled."""
    while True:
        await asyncio.sleep(OVERDUE_EVERY_S)
        try:
            ended = await database.write(lambda connection: end_once(connection, vault))
        except PostgresAwayError as error:
            _log.warning("overdue_not_ended", cause=error.where)
        except (HubError, asyncpg.PostgresError) as error:
            # A deadlock, or something that ended meanwhile: the next look sees what is left.
            _log.warning("overdue_not_ended", cause=type(error).__name__)
        else:
            if ended:
                _log.info("overdue_ended", ended=ended)


async def end_once(connection: Any, vault: Vault) -> int:
    """End what is overdue now, each noun in a transaction of its own; how many."""
    async with connection.transaction():
        ended = await reservations.expire_overdue(connection, vault, datetime.now(UTC))
    async with connection.transaction():
        ended += await order_commands.default_overdue(connection, vault, datetime.now(UTC))
    async with connection.transaction():
        ended += await coupon_expiry.expire_overdue(connection, vault)
    async with connection.transaction():
        ended += await spending.close_due(connection, vault)
    async with connection.transaction():
        return ended + await tier_reviews.review_due(connection, vault)
