"""Partitions of the log, made ahead of the months they are for. Not here: what the log holds.

An event of a month without one is kept in the default partition: nothing is lost, but that month
can have no partition of its own any more.
"""

from hub.store import db

MONTHS_AHEAD = 3


async def make_ahead(dsn: str) -> int:
    """Make those missing from last month to MONTHS_AHEAD months ahead; how many. Safe to repeat.

    dsn: of the owner.
    """
    connection = await db.connect(dsn)
    try:
        made = await connection.fetchval("select log.make_partitions($1)", MONTHS_AHEAD)
        return int(made or 0)
    finally:
        await connection.close()
