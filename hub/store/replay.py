"""Rebuilds the hub's state from the log in a second schema, compares, and swaps what differs.

The streams keep running: most of the log is replayed beside them, and only the last events, the
comparison and the swap hold them back. State is rebuilt write by write as it was received, in the
order of the log; log and outbox are read, never written.

Swapping replaces the rows that differ, in one transaction: tables keep their identity, so views,
grants and the marts' bounds hold, and the marts read just what changed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hub.domain import ids
from hub.errors import HubError
from hub.store import apply, db
from hub.store.db import Connection, queries
from hub.store.log import open_bodies
from hub.store.membership import STANDING_MERGES
from hub.store.records import Taken, Work, reread
from hub.store.sealing import Vault

SCHEMA = "hub_next"
CHUNK_EVENTS = 5_000
SAMPLE_ROWS_MAX = 5
COMMAND_TIMEOUT_S = 3_600.0
"""Comparing whole tables takes as long as reading them."""
NOT_REPLAYED = frozenset(
    {
        *("outbox", "outbox_readers", "deliveries", "delivery_attempts"),
        *("rule_runs", "rule_effects", "rule_hours", "rule_schedules", "rule_dues"),
        *("audit", "audit_head"),
    }
)
IGNORED_COLUMNS = frozenset({"changed_xid", "version", "first_seen_at", "created_at"})
"""Columns that say when a row was written, not what is true."""
ARRIVAL_ONLY = {
    # Which of two writers came first decides these; their sums and results are compared elsewhere.
    "stock_movements": "kind not in ('counted', 'absorbed')",
    "member_links": "valid_to is null",
    # Locks: a value that nobody holds any more has one still.
    "identifier_values": "false",
    "shops": "true",
}
COMPARED_COLUMNS = {
    # Which member a profile has now; since when, and by which event, is which write came first.
    "member_links": ["profile_id", "member_id"],
    "member_merges": ["member_id", "profiles"],
}
COMPARED_ROWS = {"member_merges": STANDING_MERGES}
"""Queries in place of tables whose rows say how the state came about, not only what it is."""
HOLD_WRITES = "lock table log.offsets in share row exclusive mode"
"""Each write moves its offsets first: this waits for those in flight and holds back the next."""
Progress = Callable[[int], None]
"""Called with the number of events replayed."""


@dataclass
class Difference:
    """Rows of one table that only the live state or only the replay has, with samples."""

    table: str
    only_live: int
    only_replayed: int
    sample: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Replay:
    """What a replay came to."""

    events: int = 0
    erased: int = 0
    outcomes_changed: int = 0
    differences: list[Difference] = field(default_factory=list)
    swapped: bool = False

    @property
    def is_equal(self) -> bool:
        return not self.differences and not self.outcomes_changed


async def replay(
    dsn: str, vault: Vault, *, swap: bool = False, progress: Progress | None = None
) -> Replay:
    """Replay the whole log; with `swap`, put the replayed rows where they differ from the live.

    dsn: of the owner, since a schema is made and dropped.
    """
    owner = await db.connect(dsn, SCHEMA, COMMAND_TIMEOUT_S)
    try:
        if not await owner.fetchval("select pg_try_advisory_lock(hashtext('hub.replay'))"):
            raise HubError("Another replay is running", mend="wait for it to end")
        tables = await _make_schema(owner)
        rebuild = _Rebuild(owner, vault, progress)
        async with owner.transaction():
            await owner.execute(HOLD_WRITES)
            settled = await _log_end(owner)
        await rebuild.until(settled)
        async with owner.transaction():
            await owner.execute(HOLD_WRITES)
            await rebuild.until(await _log_end(owner))
            result = rebuild.result
            result.differences = [d for t in tables if (d := await _compare(owner, t)) is not None]
            changed = await owner.fetchval(queries("replay")["outcomes_changed"])
            result.outcomes_changed = int(changed or 0)
            if swap and not result.is_equal:
                await _swap(owner, tables)
                result.swapped = True
            await _record(owner, result)
        await owner.execute(f"drop schema {SCHEMA} cascade")
        return result
    finally:
        await owner.close()


async def _make_schema(owner: Connection) -> list[str]:
    """An empty copy of the hub's tables, and one for the outcomes."""
    rows = await owner.fetch(queries("replay")["tables"], list(NOT_REPLAYED))
    tables = [row["table_name"] for row in rows]
    await owner.execute(f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}")
    for table in tables:
        await owner.execute(f"create table {SCHEMA}.{table} (like hub.{table} including all)")
    await owner.execute(queries("replay")["make_outcomes"])
    return tables


async def _log_end(owner: Connection) -> int:
    return int(await owner.fetchval("select coalesce(max(log_id), 0) from log.events") or 0)


class _Rebuild:
    """Replays the log write by write, up to one place after the other."""

    def __init__(self, owner: Connection, vault: Vault, progress: Progress | None) -> None:
        self.result = Replay()
        self._owner = owner
        self._vault = vault
        self._progress = progress
        self._done = 0

    async def until(self, end: int) -> None:
        """Replay what lies before and at this place of the log, from where it was left."""
        write: list[Any] = []
        while self._done < end:
            rows = await self._owner.fetch(
                queries("replay")["chunk"], self._done, end, CHUNK_EVENTS
            )
            self._done = rows[-1]["log_id"] if rows else end
            for row in rows:
                if write and write[0]["received_at"] != row["received_at"]:
                    await self._write(write)
                    write = []
                write.append(row)
        if write:
            await self._write(write)

    async def _write(self, rows: list[Any]) -> None:
        bodies = await open_bodies(
            self._owner,
            self._vault,
            [(row["body"], row["sealed_by"], row["event_key"]) for row in rows],
        )
        taken = [
            Taken(reread(row["headers"], body), None, row["log_id"])
            for row, body in zip(rows, bodies, strict=True)
            if body is not None
        ]
        self.result.events += len(rows)
        self.result.erased += len(rows) - len(taken)
        if taken:
            async with self._owner.transaction():
                work = await apply.replay(self._owner, self._vault, taken, rows[0]["received_at"])
                await self._note_outcomes(work)
        if self._progress is not None:
            self._progress(self.result.events)

    async def _note_outcomes(self, work: Work) -> None:
        verdicts = work.verdicts | {key: now for key, (_, _, now) in work.revised.items()}
        await self._owner.execute(
            queries("replay")["note_outcomes"],
            list(verdicts),
            [str(verdict.outcome) for verdict in verdicts.values()],
            [verdict.reason for verdict in verdicts.values()],
            [verdict.waits_for for verdict in verdicts.values()],
        )


async def _columns(owner: Connection, table: str) -> list[str]:
    rows = await owner.fetch(queries("replay")["columns"], table)
    return [row["column_name"] for row in rows if row["column_name"] not in IGNORED_COLUMNS]


async def _compare(owner: Connection, table: str) -> Difference | None:
    columns = ", ".join(COMPARED_COLUMNS.get(table) or await _columns(owner, table))
    where = ARRIVAL_ONLY.get(table, "true")
    rows = COMPARED_ROWS.get(table, f"{{schema}}.{table}")
    live = f"select {columns} from {rows.format(schema='hub')} where {where}"
    replayed = f"select {columns} from {rows.format(schema=SCHEMA)} where {where}"
    only_live = await owner.fetch(f"{live} except all {replayed}")
    only_replayed = await owner.fetch(f"{replayed} except all {live}")
    if not only_live and not only_replayed:
        return None
    sample = [
        {"in": side, **{name: _shown(value) for name, value in row.items()}}
        for side, rows in (("live", only_live), ("replay", only_replayed))
        for row in rows[:SAMPLE_ROWS_MAX]
    ]
    return Difference(table, len(only_live), len(only_replayed), sample)


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return ids.text(value) if len(value) == len(ids.derived("")) else f"<{len(value)} bytes>"
    return value if isinstance(value, int | bool | None) else str(value)


async def _record(owner: Connection, result: Replay) -> None:
    """Note the replay. The marts start anew after a swap: they cannot see that rows went away."""
    differences = [
        {"table": d.table, "only_live": d.only_live, "only_replayed": d.only_replayed}
        for d in result.differences
    ]
    await owner.execute(
        queries("replay")["record"], result.events, differences or None, result.swapped
    )


async def _swap(owner: Connection, tables: list[str]) -> None:
    """Replace the rows that differ. New rows get the changed_xid of now, so the marts see them."""
    for table in tables:
        compared = ", ".join(await _columns(owner, table))
        names = await owner.fetch(queries("replay")["columns"], table)
        written = ", ".join(r["column_name"] for r in names if r["column_name"] != "changed_xid")
        keys = await owner.fetch(queries("replay")["key"], table)
        key = ", ".join(row["column_name"] for row in keys)
        await owner.execute(
            f"delete from hub.{table} where ({key}) in (select {key} from ("
            f"select {compared} from hub.{table} except all "
            f"select {compared} from {SCHEMA}.{table}) as differing)"
        )
        await owner.execute(
            f"insert into hub.{table} ({written}) select {written} from {SCHEMA}.{table} "
            f"where ({key}) not in (select {key} from hub.{table})"
        )
    await owner.execute(queries("replay")["swap_outcomes"])
