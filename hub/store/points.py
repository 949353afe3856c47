"""Points in Postgres: accounts, lots and the ledger's entries, append-only.

Accounts are locked in the order of their profiles. An account that never spent and owes nothing
only gains lots; any other is settled over all its lots (`hub.domain.points`).
"""

from collections import defaultdict
from datetime import datetime

from hub.domain import points
from hub.domain.envelope import APPLIED, Event
from hub.domain.ids import Key, derived
from hub.domain.points import Account, Entry, Lot
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work

_ACCOUNTS = Rows(
    "points_accounts",
    key=("profile_id",),
    columns={
        "profile_id": "uuid",
        "issued_points": "bigint",
        "spent_points": "bigint",
        "expired_points": "bigint",
        "reversed_points": "bigint",
        "pending_points": "bigint",
        "held_points": "bigint",
        "open_points": "bigint",
        "debt_points": "bigint",
    },
)
_LOTS = Rows(
    "points_lots",
    key=("lot_id",),
    columns={
        "lot_id": "uuid",
        "profile_id": "uuid",
        "earned_points": "bigint",
        "open_points": "bigint",
        "earned_at": "timestamptz",
        "expires_at": "timestamptz",
        "order_id": "uuid",
        "rule_version": "text",
    },
)
_ENTRIES = Rows(
    "points_entries",
    key=("profile_id", "occurred_at", "entry_id"),
    columns={
        "entry_id": "uuid",
        "profile_id": "uuid",
        "kind": "text",
        "points": "bigint",
        "lot_id": "uuid",
        "order_id": "uuid",
        "occurred_at": "timestamptz",
        "event_key": "uuid",
        "rule_version": "text",
    },
)
CHANNEL_RULE = "channel"
"""Rule version of what a channel itself says it earned, spent or adjusted."""


async def apply(connection: Connection, work: Work) -> None:
    """Enter what orders earned and what points events say."""
    for event in work.of("points"):
        work.verdicts[event.key] = APPLIED
        work.points.append(_entry(event))
    if not work.points:
        return
    by_profile: dict[Key, list[Entry]] = defaultdict(list)
    for entry in work.points:
        by_profile[entry.profile_id].append(entry)
    profiles = sorted(by_profile)
    rows = await connection.fetch(queries("points")["lock"], profiles)
    if len(rows) < len(profiles):
        await connection.execute(queries("points")["ensure"], profiles)
        rows = await connection.fetch(queries("points")["lock"], profiles)
    accounts = {row["profile_id"]: Account(*row) for row in rows}
    lots = await _lots(connection, work, by_profile, accounts)
    changed: list[Lot] = []
    for profile in profiles:
        changed += _post(accounts[profile], lots, by_profile[profile], work.lots_since)
    await _write(connection, [accounts[p] for p in profiles], changed, work.points)


def _entry(event: Event) -> Entry:
    kind, sign = {
        "points.earned": ("earned", 1),
        "points.redeemed": ("spent", -1),
        "points.adjusted": ("adjusted", 1),
    }[event.type]
    entry_id = derived("points", event.key)
    return Entry(
        entry_id,
        event.entity_key,
        kind,
        sign * event.data.points,
        None if kind == "spent" else entry_id,
        None,
        event.occurred_at,
        event.key,
        CHANNEL_RULE,
    )


async def _lots(
    connection: Connection,
    work: Work,
    by_profile: dict[Key, list[Entry]],
    accounts: dict[Key, Account],
) -> dict[Key, dict[Key, Lot]]:
    """All lots of the accounts that must be settled, by profile."""
    to_settle = [
        profile
        for profile, entries in by_profile.items()
        if not _only_gains(accounts[profile], entries, work.known_lots)
    ]
    lots: dict[Key, dict[Key, Lot]] = {}
    if to_settle:
        for row in await connection.fetch(queries("points")["lots"], to_settle):
            lots.setdefault(row["profile_id"], {})[row["lot_id"]] = Lot(*row)
    return lots


def _only_gains(account: Account, entries: list[Entry], known_lots: set[Key]) -> bool:
    """Whether the entries open new lots and nothing else, on an account that owes nothing."""
    return (
        account.spent_points == account.debt_points == account.reversed_points == 0
        and all(entry.kind == "earned" and entry.points > 0 for entry in entries)
        and not any(entry.lot_id in known_lots for entry in entries)
    )


def _post(
    account: Account,
    lots: dict[Key, dict[Key, Lot]],
    entries: list[Entry],
    since: dict[Key, datetime],
) -> list[Lot]:
    before = account.open_points
    if before and account.profile_id not in lots:
        # Only gains: the earlier lots stay as they are, so they need not be read.
        account.open_points = 0
        opened = points.post(account, {}, entries, since)
        account.open_points += before
        return opened
    return points.post(account, lots.get(account.profile_id, {}), entries, since)


async def _write(
    connection: Connection, accounts: list[Account], lots: list[Lot], entries: list[Entry]
) -> None:
    await _ACCOUNTS.upsert(connection, [_row(account) for account in accounts])
    await _LOTS.upsert(connection, [_row(lot) for lot in lots])
    await _ENTRIES.insert(connection, [_row(entry) for entry in entries])


def _row(struct: Account | Lot | Entry) -> tuple[object, ...]:
    """The fields stand in the order of the table's columns."""
    return tuple(getattr(struct, name) for name in struct.__struct_fields__)
