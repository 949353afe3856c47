"""Effects of sync rules that wait: for their time, for those before them, for another try.

Each is done once, under its name: by a command in the transaction that ends it, or outside and
noted after it, and then perhaps again under the same name. Not here: what each kind does
(`hub.store.rule_commands`), who does it when (`streams.rules`).
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from hub.domain.ids import Key
from hub.rules.document import Rate
from hub.store.db import Connection, Rows, queries

WAITS = tuple(timedelta(seconds=s) for s in (1, 5, 30, 120, 600, 1_800, 3_600, 7_200))
"""Between tries of one effect; the last again and again."""
AT_ONCE_MAX = 50
_EFFECTS = Rows(
    "rule_effects",
    key=("effect_id",),
    columns={
        "effect_id": "uuid",
        "rule": "text",
        "version": "int",
        "fact_key": "uuid",
        "xid": "xid8",
        "outbox_id": "bigint",
        "sku": "text",
        "place": "text",
        "action": "text",
        "kind": "text",
        "order_key": "text",
        "due_at": "timestamptz",
    },
)


class Kept(Struct, frozen=True):
    """An effect as it waits: what it is about, and by which action of which version."""

    effect_id: Key
    rule: str
    version: int
    fact_key: Key
    xid: int
    outbox_id: int
    sku: str | None
    place: str | None
    action: str
    kind: str
    order_key: str
    after_s: int = 0
    attempts: int = 0


async def keep_effects(connection: Connection, wanted: Sequence[Kept]) -> None:
    """Keep effects that are new."""
    now = datetime.now(UTC)
    rows = [
        (
            *(one.effect_id, one.rule, one.version, one.fact_key, one.xid, one.outbox_id),
            *(one.sku, one.place, one.action, one.kind, one.order_key),
            now + timedelta(seconds=one.after_s),
        )
        for one in wanted
    ]
    await _EFFECTS.insert_new(connection, rows)


async def due(connection: Connection, at: datetime, held: Collection[str]) -> list[Kept]:
    """The first that are due of each rule but those held, one for each order key."""
    sql = queries("rule_effects")["due"]
    rows = await connection.fetch(sql, at, list(held), AT_ONCE_MAX)
    return [Kept(**{name: row[name] for name in _KEPT}, attempts=row["attempts"]) for row in rows]


async def hold(connection: Connection, effect_id: Key) -> bool:
    """Take an effect in the caller's transaction; False if it is over, or somebody else has it."""
    return await connection.fetchval(queries("rule_effects")["hold"], effect_id) is not None


async def end(
    connection: Connection, effect_id: Key, state: str, *, result: Any = None, error: str = ""
) -> None:
    """It is done, or failed for good."""
    sql = queries("rule_effects")["end_effect"]
    await connection.execute(sql, effect_id, state, 1, error or None, result)


async def try_again(connection: Connection, effect_id: Key, at: datetime, error: str) -> None:
    """It waits for another try."""
    await connection.execute(queries("rule_effects")["again"], effect_id, at, error)


async def room(connection: Connection, rule: str, rate: Rate, at: datetime) -> tuple[int, datetime]:
    """How many effects a rule's rate lets through now, and when it lets through more."""
    since = at - timedelta(seconds=rate.seconds)
    row = await connection.fetchrow(queries("rule_effects")["done_since"], rule, since)
    first_at = row["first_at"] if row is not None else None
    more_at = (first_at or at) + timedelta(seconds=rate.seconds)
    return max(rate.max - (row["done"] if row is not None else 0), 0), more_at


async def put_off(connection: Connection, effects: Sequence[Kept], until: datetime) -> None:
    """These wait until then."""
    wanted = [one.effect_id for one in effects]
    await connection.execute(queries("rule_effects")["later"], wanted, until)


async def drop(connection: Connection, rules: Sequence[str]) -> list[Any]:
    """What waits of rules that were put away is not done; of which runs."""
    return list(await connection.fetch(queries("rule_effects")["drop_waiting"], list(rules)))


async def of_run(
    connection: Connection, fact_key: Key, rule: str, version: int
) -> list[dict[str, Any]]:
    """The effects of a run that wait or waited, in their order."""
    rows = await connection.fetch(queries("rule_effects")["of_run"], fact_key, rule, version)
    return [dict(row) for row in rows]


async def revive(
    connection: Connection, fact_key: Key, rule: str, version: int, actions: Sequence[str]
) -> list[str]:
    """Those of these actions that failed wait again; which."""
    sql = queries("rule_effects")["revive"]
    rows = await connection.fetch(sql, fact_key, rule, version, list(actions))
    return [row["action"] for row in rows]


def next_wait(attempts: int) -> timedelta:
    """Until the next try, after so many."""
    return WAITS[min(attempts, len(WAITS)) - 1]


_KEPT = (
    "effect_id",
    "rule",
    "version",
    "fact_key",
    "xid",
    "outbox_id",
    "sku",
    "place",
    "action",
    "kind",
    "order_key",
)
