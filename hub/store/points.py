"""Points in Postgres: accounts, lots and the ledger's entries, append-only.

Accounts are locked in the order of their profiles. An account from which nothing was ever taken
only gains lots; any other is settled over all its lots and spendings (`hub.domain.settling`).
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from hub.domain import points, settling
from hub.domain.earning import Scheme
from hub.domain.ids import Key, derived, text
from hub.domain.points import Account, Entry, Lot, Step
from hub.store import cases, points_rules
from hub.store.db import Connection, Rows, queries
from hub.store.points_changes import Changes, collect
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
        "settled_at": "timestamptz",
        "due_at": "timestamptz",
        "last_used_at": "timestamptz",
    },
)
_LOTS = Rows(
    "points_lots",
    key=("lot_id",),
    columns={
        "lot_id": "uuid",
        "profile_id": "uuid",
        "granted_points": "bigint",
        "earned_points": "bigint",
        "pending_points": "bigint",
        "open_points": "bigint",
        "expired_points": "bigint",
        "earned_at": "timestamptz",
        "opens_at": "timestamptz",
        "expires_at": "timestamptz",
        "grace_until": "timestamptz",
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
        "held_points": "bigint",
        "use_id": "uuid",
    },
)


async def apply(connection: Connection, work: Work) -> None:
    """Enter what orders earned, what was spent, and what points events say."""
    changes = collect(work)
    for profile in await points_rules.accounts_since(connection, work):
        changes[profile].cause = points_rules.published_in(work)[-1].key
    if not changes:
        return
    profiles = sorted(changes)
    accounts = await lock(connection, profiles)
    to_settle = [p for p in profiles if not _only_gains(accounts[p], changes[p], work.known_lots)]
    lots, steps = await load(connection, to_settle)
    sums = {profile: _sums(steps[profile], changes[profile]) for profile in to_settle}
    steps = await _dated(connection, sums)
    changed: list[Lot] = []
    entries: list[Entry] = []
    overspent: dict[Key, dict[str, object] | None] = {}
    for profile in profiles:
        account, change = accounts[profile], changes[profile]
        entries += change.entries
        if profile not in lots:
            changed += _gain(account, change)
            continue
        expired = {lot.lot_id: lot.expired_points for lot in lots[profile].values()}
        changed += _settle(account, change, lots[profile], steps[profile])
        entries += _expiries(work, change, lots[profile], expired)
        short = points.overspent(account, lots[profile].values())
        overspent[profile] = {"points": short} if short else None
    await _write(connection, list(accounts.values()), changed, entries)
    found = {text(profile): detail for profile, detail in overspent.items()}
    await cases.follow_objects(connection, "points_overspent", "points", found, work.received_at)


async def lock(connection: Connection, profiles: list[Key]) -> dict[Key, Account]:
    """The accounts of these profiles, locked in their order, made where missing."""
    rows = await connection.fetch(queries("points")["lock"], profiles)
    if len(rows) < len(profiles):
        await connection.execute(queries("points")["ensure"], profiles)
        rows = await connection.fetch(queries("points")["lock"], profiles)
    return {row["profile_id"]: Account(*row) for row in rows}


async def look(connection: Connection, profiles: list[Key]) -> dict[Key, Account]:
    """The accounts of these profiles as they are, locking and making nothing."""
    rows = await connection.fetch(queries("points")["look"], profiles)
    found = {row["profile_id"]: Account(*row) for row in rows}
    return {profile: found.get(profile) or Account(profile) for profile in profiles}


async def load(
    connection: Connection, profiles: list[Key]
) -> tuple[dict[Key, dict[Key, Lot]], dict[Key, list[Step]]]:
    """All lots of these profiles by id, and all steps of what was spent."""
    lots: dict[Key, dict[Key, Lot]] = {profile: {} for profile in profiles}
    steps: dict[Key, list[Step]] = {profile: [] for profile in profiles}
    if profiles:
        for row in await connection.fetch(queries("points")["lots"], profiles):
            lots[row["profile_id"]][row["lot_id"]] = Lot(*row)
        for row in await connection.fetch(queries("points")["steps"], profiles):
            step = Step(row["use_id"], row["occurred_at"], row["points"])
            steps[row["profile_id"]].append(step)
    return lots, steps


def _only_gains(account: Account, change: Changes, known_lots: set[Key]) -> bool:
    """Whether the write opens new lots and nothing else, on an account that only ever gained."""
    return (
        account.only_gained
        and change.closed_until is None
        and len(change.entries) > 0
        and all(entry.kind == "earned" and entry.points > 0 for entry in change.entries)
        and not any(entry.lot_id in known_lots for entry in change.entries)
        and change.terms.keys() == {entry.lot_id for entry in change.entries}
    )


def _gain(account: Account, change: Changes) -> list[Lot]:
    """The new lots; the earlier ones stay as they are, so they need not be read."""
    lots: dict[Key, Lot] = {}
    points.enter(account, lots, change.entries, change.terms)
    points.gain(account, lots.values())
    return list(lots.values())


Sums = dict[tuple[Key, datetime], int]
"""(spending, time) -> what it took or gave back then."""


def _sums(known: list[Step], change: Changes) -> Sums:
    """What spendings took and gave back, with what this write brings."""
    sums: Sums = defaultdict(int)
    for step in known:
        sums[step.use_id, step.at] += step.points
    for entry in change.entries:
        if entry.use_id is not None:
            sums[entry.use_id, entry.occurred_at] += entry.points
    return sums


async def _dated(connection: Connection, sums: Mapping[Key, Sums]) -> dict[Key, list[Step]]:
    """The steps of each profile, with the grace period of what comes back; its rule is read only
    where something does."""
    rules: Scheme | None = None
    if any(points > 0 for one in sums.values() for points in one.values()):
        rules = await points_rules.load(connection)
    return {
        profile: [
            Step(use_id, at, points, rules.grace_until(at) if rules and points > 0 else None)
            for (use_id, at), points in one.items()
        ]
        for profile, one in sums.items()
    }


def _settle(
    account: Account, change: Changes, lots: dict[Key, Lot], steps: list[Step]
) -> list[Lot]:
    if change.closed_until is not None:
        account.settled_at = max(account.settled_at, change.closed_until)
    return settling.post(account, lots, change.entries, steps, change.terms)


def _expiries(
    work: Work, change: Changes, lots: dict[Key, Lot], was: dict[Key, int]
) -> list[Entry]:
    """The entries by which points expire; a late event may find that they were used in time."""
    return [
        Entry(
            # A cause may be one of an earlier write, whose effects this one changes.
            derived("expired", work.taken[0].event.key, lot.lot_id),
            lot.profile_id,
            "expired",
            was.get(lot.lot_id, 0) - lot.expired_points,
            lot.lot_id,
            lot.order_id,
            lot.expires_at or lot.earned_at,
            change.cause,
            lot.rule_version,
        )
        for lot in lots.values()
        if lot.expired_points != was.get(lot.lot_id, 0)
    ]


async def _write(
    connection: Connection, accounts: list[Account], lots: list[Lot], entries: list[Entry]
) -> None:
    await _ACCOUNTS.upsert(connection, [_row(account) for account in accounts])
    await _LOTS.upsert(connection, [_row(lot) for lot in lots])
    await _ENTRIES.insert(connection, [_row(entry) for entry in entries])


def _row(struct: Account | Lot | Entry) -> tuple[object, ...]:
    """The fields stand in the order of the table's columns."""
    return tuple(getattr(struct, name) for name in struct.__struct_fields__)
