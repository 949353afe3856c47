"""Coupons in Postgres: fold the coupons that new events touch, and write what changed.

Rows and their columns are in `hub.store.coupon_rows`, what needs a person in `coupon_cases`.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from hub.domain import coupon_rights, coupons
from hub.domain.coupon_state import use_key
from hub.domain.coupons import Folded
from hub.domain.envelope import Event
from hub.domain.ids import Key
from hub.domain.order_data import OrderName
from hub.errors import Refused
from hub.store import cases, coupon_cases, coupon_persons, coupon_rows, log
from hub.store.db import Connection, queries
from hub.store.folding import refold
from hub.store.records import Work
from hub.store.sealing import Vault


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new coupon events; write coupons, uses and reservations; open and close cases."""
    new = work.of("coupon")
    used = await _used_on(connection, work.over_before) if work.over_before else set()
    if work.unnamed:
        await log.claim(connection, work.unnamed)
        used |= work.unnamed
    was, now = {}, {}
    if new or used:
        was, now = await _tell(connection, vault, work, new, used)
    await coupon_persons.follow(connection, work, was, now)


async def _tell(
    connection: Connection, vault: Vault, work: Work, new: list[Event], used: set[Key]
) -> tuple[dict[Key, Folded], dict[Key, Folded]]:
    """Fold and write the coupons of new events and those used on orders that are over now, or whose
    recipient is forgotten: how they were and are."""
    wanted = sorted({event.entity_key for event in new} | used)
    rows = await connection.fetch(queries("coupons")["lock"], wanted)
    since: dict[Key, datetime] = {row["coupon_id"]: row["first_received_at"] for row in rows}
    unseen = [key for key in wanted if key not in since]
    if unseen:
        since |= await log.parked_since(connection, unseen)
    past = await log.history(connection, vault, "coupon", since, work.first_log_id)
    told = [*new, *chain.from_iterable(past.values())]
    over = await _over(connection, told)
    was = _folded(work, wanted, past, over)
    if untold := _untold(past, was):
        # Whoever ends such an order at this moment finds no use on it, and is waited for.
        await log.claim(connection, untold)
        over = await _over(connection, told)
        was = _folded(work, wanted, past, over)
    _, now = refold(work, new, past, lambda events: coupons.fold(events, over))
    for key in used:
        now.setdefault(key, coupons.fold(past[key], over))
        work.rejudge(past[key][-1], was[key].verdicts, now[key].verdicts)
    if work.is_decision:
        _refuse(new, was, now)
    # A write that waited for another began before it: the earlier of both is when the first came.
    received_at = work.received_at
    first_at = {key: min(since.get(key, received_at), received_at) for key in wanted}
    await coupon_rows.write(connection, vault, was, now, first_at)
    stood = coupon_cases.wanted(was).keys()
    await cases.follow(connection, coupon_cases.wanted(now), stood, received_at)
    return was, now


def _folded(
    work: Work, wanted: list[Key], past: dict[Key, list[Event]], over: dict[OrderName, datetime]
) -> dict[Key, Folded]:
    """The coupons as they were before this write."""
    before = over | work.over_before
    was_over = {name: at for name, at in before.items() if at is not None}
    return {key: coupons.fold(past.get(key, []), was_over) for key in wanted}


def _untold(past: dict[Key, list[Event]], was: dict[Key, Folded]) -> set[Key]:
    """The orders of uses that are in the log and count not yet, such as those of a coupon that was
    not issued: no row tells of them."""
    return {
        name.key
        for key, events in past.items()
        for event in events
        if (name := coupons.order_of(event)) is not None
        and use_key(event) not in was[key].state.redemptions
    }


async def _used_on(connection: Connection, names: Iterable[OrderName]) -> set[Key]:
    """The coupons that were used on these orders, claimed."""
    listed = list(names)
    rows = await connection.fetch(
        queries("coupons")["used_on"],
        [name.channel for name in listed],
        [name.shop for name in listed],
        [name.order_number for name in listed],
    )
    found = {row["coupon_id"] for row in rows}
    await log.claim(connection, found)
    return found


async def _over(connection: Connection, events: Iterable[Event]) -> dict[OrderName, datetime]:
    """Those orders of these uses that are over by now."""
    names = {name.key: name for event in events if (name := coupons.order_of(event)) is not None}
    if not names:
        return {}
    rows = await connection.fetch(queries("coupons")["orders_over"], list(names))
    return {names[row["order_id"]]: row["over_at"] for row in rows}


def _refuse(new: list[Event], was: dict[Key, Folded], now: dict[Key, Folded]) -> None:
    for event in new:
        key = event.entity_key
        refusal = coupon_rights.refuse_decision(event, was[key].state, now[key].state)
        if refusal is not None:
            code, reason = refusal
            raise Refused(code, reason)
