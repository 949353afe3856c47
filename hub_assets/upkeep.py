"""What Dagster's jobs do in the hub: call its own commands, and say what came of it.

Not here: the commands (`hub.store`), and which job runs when (`defs/jobs`).
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from datetime import datetime

import dagster as dg

from hub import settings
from hub.store import db, deliveries, overdue, partitions
from hub.store.overdue import Overdue
from hub.store.sealing import Vault

# Below the longest run that Dagster allows (dagster.yaml); what is left is the next run's.
TIMEOUT_S = 3000.0
DAYS_MAX = 366
"""Days that one run catches up on."""


def end(one: Overdue) -> dict[str, dg.MetadataValue]:
    """End all that is due of one noun. Raises dg.Failure if time was up before that."""
    hub = settings.load()
    started = time.monotonic()
    ended = asyncio.run(
        overdue.end_all(hub.dsn("writer"), Vault(hub.secret()), one, timeout_s=TIMEOUT_S)
    )
    metadata: dict[str, dg.MetadataValue] = {
        "decisions": dg.MetadataValue.int(ended.decisions),
        "transactions": dg.MetadataValue.int(ended.rounds),
        "wall_s": dg.MetadataValue.float(round(time.monotonic() - started, 3)),
    }
    if not ended.is_done:
        raise dg.Failure(f"more {one.name} are due than {TIMEOUT_S:.0f} s allow", metadata)
    return metadata


def make_log_partitions() -> dict[str, dg.MetadataValue]:
    """Make the log's partitions for the months to come."""
    made = asyncio.run(partitions.make_ahead(settings.load().dsn("owner")))
    return {"made": dg.MetadataValue.int(made)}


def forget_deliveries(before: datetime) -> int:
    """Forget deliveries that ended before a time, a few at a time; how many."""

    async def forgotten() -> int:
        connection = await db.connect(settings.load().dsn("writer"))
        try:
            count = 0
            while done := await deliveries.forget(connection, before):
                count += done
            return count
        finally:
            await connection.close()

    return asyncio.run(forgotten())


def missing_days(days: Sequence[str], done: Collection[str]) -> tuple[str, str] | None:
    """The first and last day that one run is to do: all after the first that was ever done.

    days: all there are, in order. done: those that were. Before the first run nothing was missed,
    so it does the last day alone. None if nothing is missing.
    """
    begin = next((i for i, day in enumerate(days) if day in done), len(days) - 1)
    missing = [day for day in days[max(begin, 0) :] if day not in done][-DAYS_MAX:]
    return (missing[0], missing[-1]) if missing else None
