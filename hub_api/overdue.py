"""A task that ends soon after it is due what ends by time. Not here: what that is.

Any number of API processes may do it: what one holds, the others leave out.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import structlog

from hub.errors import HubError
from hub.store.overdue import OVERDUE
from hub.store.sealing import Vault
from hub_api.limits import OVERDUE_EVERY_S
from hub_api.postgres import Database, PostgresAwayError

_log = structlog.get_logger("hub_api.overdue")


async def end_overdue(
    database: Database, vault: Vault, tell: Callable[[], None] = lambda: None
) -> None:
    """End what is overdue every OVERDUE_EVERY_S, until cancelled; tell: called if it did."""
    while True:
        await asyncio.sleep(OVERDUE_EVERY_S)
        try:
            ended = await database.write(lambda connection: end_once(connection, vault))
        except PostgresAwayError as error:
            _log.warning("overdue_not_ended", cause=error.where)
        else:
            if ended:
                tell()
                _log.info("overdue_ended", ended=ended)


async def end_once(connection: Any, vault: Vault) -> int:
    """End what is overdue now, each noun in a transaction of its own; how many.

    One noun that fails keeps no other from ending: a deadlock, or something that ended meanwhile,
    is seen again at the next look.
    """
    ended = 0
    for noun in OVERDUE:
        try:
            async with connection.transaction():
                ended += await noun.end(connection, vault)
        except (HubError, asyncpg.PostgresError) as error:
            if connection.is_closed():
                raise
            _log.warning("overdue_not_ended", noun=noun.name, cause=type(error).__name__)
    return ended
