"""One write: takes decoded records, decides noun by noun, and writes everything they cause.

The caller opens the transaction and advances the offsets in it, so log, state, outbox and
offsets commit together. Locks are taken in the order entities, profiles, identifiers, members,
orders, coupons, stock, growth, points, each sorted: two writes hardly ever wait for each other, and
the database ends one of them where they do.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from hub.domain import ids, sandbox
from hub.domain.coupons import order_of
from hub.domain.envelope import Event, Outcome
from hub.domain.ids import Key
from hub.errors import Refused
from hub.store import (
    allotments,
    approvals,
    case_steps,
    catalog,
    configs,
    coupons,
    dead_letters,
    erasure,
    growth,
    log,
    matching_policies,
    members,
    mentions,
    orders,
    points,
    segments,
    spends,
    stock,
    supply,
    tiers,
    transfers,
)
from hub.store.db import Connection
from hub.store.records import Record, Taken, Tally, Work
from hub.store.sealing import Vault

LOG_END = 2**63 - 1


async def apply(
    connection: Connection, vault: Vault, records: Sequence[Record], cluster_id: str
) -> Tally:
    """Take records of topics; what became of them.

    A record without an event or with a reused id becomes a dead letter. Repetitions change
    nothing.
    """
    events = [record.event for record in records if record.event is not None]
    await supply.claim(connection, claimed(events), events)
    fresh, duplicates = await log.screen(connection, vault, records)
    letters = [record for record in records if record.bad is not None]
    await dead_letters.keep(connection, vault, letters, cluster_id)
    if not fresh:
        return Tally(dead_letters=len(letters), duplicates=duplicates)
    work = await _take(connection, vault, fresh)
    return work.tally(len(letters), duplicates)


def claimed(events: Iterable[Event]) -> Iterator[Key]:
    """The entities that these events change: an order that is split off changes its parent, and
    what a coupon was used on decides whether it returns."""
    for event in events:
        yield event.entity_key
        if event.entity_kind == "order" and (parent := orders.parent_of(event)) is not None:
            yield parent.key
        elif event.entity_kind == "coupon" and (used_on := order_of(event)) is not None:
            yield used_on.key


async def apply_decisions(connection: Connection, vault: Vault, records: Sequence[Record]) -> Work:
    """Take what the hub itself decides now; raises `Refused` where it is not possible.

    The records are new, their ids were made for them, and their entities are claimed.
    """
    fresh = [(r, ids.content_hash(vault.content_key, r.body or b"")) for r in records]
    work = await _take(connection, vault, fresh, is_decision=True)
    for event in (taken.event for taken in work.taken):
        verdict = work.verdicts[event.key]
        if verdict.outcome is not Outcome.APPLIED:
            reason = verdict.reason or f"{verdict.waits_for} has to come first"
            raise Refused("not_possible", reason, type=event.type, subject=event.subject)
    return work


async def _take(
    connection: Connection,
    vault: Vault,
    fresh: Sequence[tuple[Record, Key]],
    *,
    is_decision: bool = False,
) -> Work:
    """Decide new records (with their content hashes), and keep them with what they came to."""
    stamp = await log.stamp(connection, len(fresh))
    taken = [
        Taken(record.event, record, log_id)
        for (record, _), log_id in zip(fresh, stamp.log_ids, strict=True)
        if record.event is not None
    ]
    work = Work(taken, stamp.received_at, LOG_END, is_decision=is_decision)
    work.has_supply = stamp.has_supply
    work.policy = matching_policies.of(stamp.policy)
    await decide(connection, vault, work)
    await log.keep(
        connection, vault, work, {t.event.key: h for t, (_, h) in zip(taken, fresh, strict=True)}
    )
    await mentions.keep(connection, work)
    await erasure.purge(connection, vault, work)
    await log.announce(connection, work)
    await log.revise(connection, work)
    return work


async def replay(
    connection: Connection, vault: Vault, taken: list[Taken], received_at: datetime
) -> Work:
    """Decide events that are in the log already: state is written, log and outbox are not."""
    work = Work(taken, received_at, taken[0].log_id)
    work.policy = await matching_policies.in_force(connection)
    await decide(connection, vault, work)
    return work


async def decide(connection: Connection, vault: Vault, work: Work) -> None:
    """Noun by noun: load, fold in `hub.domain`, store. Orders cause changes of stock and points."""
    work.verdicts |= {event.key: sandbox.IGNORED for event in work.of(sandbox.KIND)}
    await configs.apply(connection, work)
    await catalog.apply(connection, work)
    await members.apply(connection, vault, work)
    await mentions.apply(connection, vault, work)
    await orders.apply(connection, vault, work)
    await coupons.apply(connection, vault, work)
    await transfers.apply(connection, work)
    await allotments.apply(connection, work)
    await stock.apply(connection, work)
    await spends.apply(connection, vault, work)
    await growth.apply(connection, work)
    await tiers.apply(connection, work)
    await points.apply(connection, work)
    await approvals.apply(connection, vault, work)
    await case_steps.apply(connection, work)
    segments.apply(work)
    await log.park(connection, work)
