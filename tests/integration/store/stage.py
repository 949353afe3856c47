"""A store in a test: takes events, shows rows."""

from typing import Any

from hub.store import apply, db
from hub.store.digest import digest
from hub.store.records import Record, Tally
from hub.store.sealing import Vault
from hub.testing import Database
from tests.event_maker import record

CLUSTER = "test-cluster"


class Store:
    """Takes records as the streams do, one transaction a write."""

    def __init__(self, database: Database, connection: db.Connection) -> None:
        self.database = database
        self.connection = connection
        self.vault = Vault(database.settings.secret())

    async def take(self, *bodies: bytes | Record) -> Tally:
        """Store these in one write."""
        records = [one if isinstance(one, Record) else record(one) for one in bodies]
        async with self.connection.transaction():
            return await apply.apply(self.connection, self.vault, records, CLUSTER)

    async def empty(self) -> None:
        """Forget all that was taken, to begin anew with the same bodies."""
        owner = await db.connect(self.database.dsn("owner"))
        try:
            names = await owner.fetch(
                "select format('%I.%I', schemaname, tablename) as name from pg_tables"
                " where schemaname in ('hub', 'log')"
            )
            await owner.execute("truncate " + ", ".join(row["name"] for row in names))
        finally:
            await owner.close()

    async def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in await self.connection.fetch(sql, *values)]

    async def row(self, sql: str, *values: Any) -> dict[str, Any]:
        (only,) = await self.rows(sql, *values)
        return only

    async def value(self, sql: str, *values: Any) -> Any:
        return await self.connection.fetchval(sql, *values)

    async def outcomes(self) -> dict[str, str]:
        """What became of each event, by its id: `parked: order.placed` and the like."""
        rows = await self.rows(
            "select e.event_id, concat_ws(': ', i.outcome, i.waits_for) as outcome"
            " from log.inbox as i join log.events as e using (event_key)"
        )
        return {row["event_id"]: row["outcome"] for row in rows}

    async def everything(self) -> dict[str, Any]:
        """The digest of the state, and how many rows the log and the outbox hold."""
        counts = await self.row(
            "select (select count(*) from log.events) as events,"
            " (select count(*) from log.inbox) as inbox, (select count(*) from outbox) as facts,"
            " (select count(*) from stock_movements) as movements,"
            " (select count(*) from points_entries) as entries"
        )
        return await digest(self.connection) | counts
