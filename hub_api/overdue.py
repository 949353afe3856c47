"""A task that ends soon after it is due what ends by time. Not here: what that is.

Any number of API processes may do it: what one holds, the others leave out.
"""

import asyncio

import asyncpg
import structlog

from hub.errors import HubError
from hub.store import overdue
from hub.store.sealing import Vault
from hub_api.limits import OVERDUE_EVERY_S
from hub_api.postgres import Database, PostgresAwayError

_log = structlog.get_logger("hub_api.overdue")


async def end_overdue(database: Database, vault: Vault) -> None:
    """End what is overdue every OVERDUE_EVERY_S, until cancelled."""
    while True:
        await asyncio.sleep(OVERDUE_EVERY_S)
        try:
            ended = await database.write(lambda connection: overdue.end_some(connection, vault))
        except PostgresAwayError as error:
            _log.warning("overdue_not_ended", cause=error.where)
        except (HubError, asyncpg.PostgresError) as error:
            # A deadlock, or something that ended meanwhile: the next look sees what is left.
            _log.warning("overdue_not_ended", cause=type(error).__name__)
        else:
            if ended:
                _log.info("overdue_ended", ended=ended)
