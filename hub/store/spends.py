"""Points spent on orders, in Postgres: fold what new events touch, write spends and holds, and note
what changes in the points of whom (`hub.store.points` enters it)."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

from hub.domain import ids, spends
from hub.domain.envelope import Event
from hub.domain.ids import Key, derived
from hub.domain.points import Entry
from hub.domain.spends import Folded, Hold, Return, SpendState, Taking
from hub.errors import Refused
from hub.store import cases, log
from hub.store.db import Connection, Rows, queries
from hub.store.folding import refold
from hub.store.records import Work
from hub.store.sealing import Vault

_SPENDS = Rows(
    "points_spends",
    key=("spend_id",),
    columns={
        "spend_id": "uuid",
        "channel": "text",
        "shop": "text",
        "order_number": "text",
        "order_id": "uuid",
        "profile_id": "uuid",
        "held_points": "bigint",
        "spent_points": "bigint",
        "returned_points": "bigint",
        "is_disputed": "boolean",
        "event_count": "int",
        "first_received_at": "timestamptz",
    },
)
_HOLDS = Rows(
    "points_holds",
    key=("spend_id", "hold_id"),
    columns={
        "hold_id": "text",
        "spend_id": "uuid",
        "profile_id": "uuid",
        "status": "text",
        "points": "bigint",
        "captured_points": "bigint",
        "placed_at": "timestamptz",
        "expires_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)
_SHARES = Rows(
    "points_shares",
    key=("spend_id", "profile_id"),
    columns={"spend_id": "uuid", "profile_id": "uuid"},
)
_REFUNDED = Rows(
    "points_refunded",
    key=("spend_id", "event_key"),
    columns={
        "spend_id": "uuid",
        "event_key": "uuid",
        "points": "bigint",
        "returned_at": "timestamptz",
    },
)
SPENDING_RULE = "spend-1"
"""Of the lot that ends first; back to where it came from."""


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new events about points spent on orders; write spends, holds and cases.

    A spending is looked at again when its order is refunded, and one with points of several
    accounts when their members change.
    """
    new = work.of("spend")
    await _hold_back(connection, work, new)
    last = {event.entity_key: event for event in new}
    touched = sorted({*last, *await _shared(connection, work), *work.points_back})
    if not touched:
        return
    # Who spends on a refunded order at this moment is waited for.
    await log.claim(connection, work.points_back)
    rows = await connection.fetch(queries("spends")["lock"], touched)
    since: dict[Key, datetime] = {row["spend_id"]: row["first_received_at"] for row in rows}
    past = await log.history(connection, vault, "spend", since, work.first_log_id)
    refunded = await _refunded(connection, touched)
    was = {key: spends.fold(past.get(key, []), refunded[key]) for key in touched}
    if work.is_decision:
        _refuse(was, new)
    refunded |= work.points_back
    await _keep_refunded(connection, work)

    def fold(events: list[Event]) -> Folded:
        return spends.fold(events, refunded[events[0].entity_key] if events else ())

    others = {key: events[-1] for key, events in past.items() if key not in last}
    _, now = refold(work, new, past, fold)
    now |= {key: fold(past[key]) for key in others}
    events = last | others
    await _enter(connection, work, events, (was, now))
    # A write that waited for another began before it: the earlier of both is when the first came.
    first_at = {key: min(since.get(key, work.received_at), work.received_at) for key in events}
    await _write(connection, events, now, first_at)
    disputed = {
        "/".join((event.channel, event.shop, event.subject)): _dispute(now[key].state)
        for key, event in last.items()
        if was[key].state.is_disputed or now[key].state.is_disputed
    }
    await cases.follow_objects(connection, "points_disputed", "spend", disputed, work.received_at)


async def _hold_back(connection: Connection, work: Work, new: list[Event]) -> None:
    """Let a spending with points of several accounts and a change of their members follow one
    another: the change would not find what is not committed yet, and what is entered by the
    members from before it would never be entered anew."""
    profiles = set(work.members_before)
    for event in new:
        if isinstance(event.data, Taking):
            spender = ids.profile_id(event.channel, event.data.account)
            whose = {spender, *(profile for profile, _ in event.data.shares)}
            profiles |= whose if len(whose) > 1 else set()
    if profiles:
        await log.claim(connection, {derived("points-share", one) for one in profiles})


def _refuse(was: dict[Key, Folded], new: list[Event]) -> None:
    for event in new:
        if (reason := spends.refuse(was[event.entity_key].state, event)) is not None:
            raise Refused("not_possible", reason, type=event.type, subject=event.subject)


async def _refunded(connection: Connection, touched: list[Key]) -> dict[Key, list[Return]]:
    """What the refunds of these spendings' orders gave back until this write."""
    found: dict[Key, list[Return]] = {key: [] for key in touched}
    for row in await connection.fetch(queries("spends")["refunded"], touched):
        back = Return(row["points"], row["returned_at"], row["event_key"])
        found[row["spend_id"]].append(back)
    return found


async def _keep_refunded(connection: Connection, work: Work) -> None:
    if not work.points_back:
        return
    await connection.execute(queries("spends")["forget_refunded"], sorted(work.points_back))
    rows = [
        (key, one.event_key, one.points, one.returned_at)
        for key, back in work.points_back.items()
        for one in back
    ]
    await _REFUNDED.insert(connection, rows)


async def _shared(connection: Connection, work: Work) -> set[Key]:
    """What was spent with points of several accounts, of members that this write changes."""
    if not work.members_before:
        return set()
    # Of two who are parted one may keep the member's name: it is found by that.
    moved = sorted({*work.members_before, *work.members_before.values()})
    rows = await connection.fetch(queries("spends")["shared"], moved)
    return {row["spend_id"] for row in rows}


async def _enter(
    connection: Connection,
    work: Work,
    events: dict[Key, Event],
    told: tuple[dict[Key, Folded], dict[Key, Folded]],
) -> None:
    """Note the entries by which the spendings now differ; events: the last one of each."""
    was, now = told
    # A late event may undo a hold, so what was counts as well as what is.
    states = {key: (was[key].state, now[key].state) for key in events}
    of_several = {
        key: event
        for key, event in events.items()
        if any(spends.has_shares_of_others(event.channel, state) for state in states[key])
    }
    members = await _members(connection, of_several, states)
    before = members | {p: m for p, m in work.members_before.items() if p in members}
    for key, event in events.items():
        then, after = states[key]
        if key in of_several:
            then = spends.of_payers(event.channel, then, before)
            after = spends.of_payers(event.channel, after, members)
        written_by = event.key if event.key in work.log_ids else work.taken[0].event.key
        work.points += _entries(event, written_by, then, after)


async def _members(
    connection: Connection,
    events: dict[Key, Event],
    states: dict[Key, tuple[SpendState, SpendState]],
) -> dict[Key, Key]:
    """The members of all whose points these spendings used; keeps whose they were."""
    if not events:
        return {}
    takings = [
        (key, event.channel, hold.taking)
        for key, event in events.items()
        for state in states[key]
        for hold in state.holds.values()
    ]
    shares = {(key, profile) for key, _, taking in takings for profile, _ in taking.shares}
    await _SHARES.insert_new(connection, sorted(shares))
    spenders = {ids.profile_id(channel, taking.account) for _, channel, taking in takings}
    profiles = sorted(spenders | {profile for _, profile in shares})
    rows = await connection.fetch(queries("spends")["members"], profiles)
    return {row["profile_id"]: row["member_id"] for row in rows}


def _entries(event: Event, written_by: Key, was: SpendState, now: SpendState) -> Iterator[Entry]:
    """What changes in the ledger: the difference between two folds."""
    sums: dict[tuple[Key, Key, Key, str, datetime], list[int]] = defaultdict(lambda: [0, 0])
    for sign, state in ((-1, was), (1, now)):
        for move in spends.movements(event.entity_key, state):
            at = (move.cause, move.use_id, move.profile_id, move.kind, move.occurred_at)
            sums[at][0] += sign * move.points
            sums[at][1] += sign * move.held_points
    for (cause, use_id, profile, kind, occurred_at), (points, held_points) in sums.items():
        if points or held_points:
            yield Entry(
                derived("points", written_by, cause, use_id, profile, kind.encode()),
                profile,
                kind,
                points,
                None,
                ids.order_id(event.channel, event.shop, event.subject),
                occurred_at,
                cause,
                SPENDING_RULE,
                held_points,
                use_id,
            )


def _dispute(state: SpendState) -> dict[str, object] | None:
    if not state.is_disputed:
        return None
    assert state.claim is not None
    claims = [one.points for one in (state.claim, state.other_claim) if one is not None]
    return {"spent_points": state.spent_points, "reported_points": claims[-1]}


async def _write(
    connection: Connection,
    events: dict[Key, Event],
    now: dict[Key, Folded],
    first_at: dict[Key, datetime],
) -> None:
    spend_rows, hold_rows = [], []
    for key, folded in now.items():
        state, event = folded.state, events[key]
        profile = _profile(event.channel, state)
        if profile is None:
            continue
        spend_rows.append(
            (
                key,
                event.channel,
                event.shop,
                event.subject,
                ids.order_id(event.channel, event.shop, event.subject),
                profile,
                state.held_points,
                state.spent_points,
                state.returned_points,
                state.is_disputed,
                len(folded.verdicts),
                first_at[key],
            )
        )
        hold_rows += [
            _hold_row(key, event.channel, hold)
            for hold_id, hold in state.holds.items()
            if hold_id != spends.DIRECT
        ]
    await _SPENDS.upsert(connection, spend_rows)
    await _HOLDS.upsert(connection, hold_rows)


def _profile(channel: str, state: SpendState) -> Key | None:
    """Who spends: the account that the order's channel names."""
    for hold in state.holds.values():
        return ids.profile_id(channel, hold.taking.account)
    return state.claim.profile_id if state.claim is not None else None


def _hold_row(key: Key, channel: str, hold: Hold) -> tuple[object, ...]:
    taking = hold.taking
    return (
        taking.hold_id,
        key,
        ids.profile_id(channel, taking.account),
        hold.status,
        taking.points,
        hold.captured_points,
        hold.placed_at,
        taking.expires_at,
        hold.ended_at,
    )
