"""Levels that are paid for: which orders bought one, from when until when. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from hub.domain.documents import Version
from hub.domain.ids import Key
from hub.domain.tier_schemes import Scheme
from hub.domain.tier_standing import Fact, Membership


def memberships(
    facts: Sequence[Fact],
    bought: Mapping[Key, Sequence[tuple[str, int]]],
    versions: Sequence[Version[Scheme]],
) -> list[Membership]:
    """The levels that a member's orders bought, one after the other; what is refunded in full ends.

    bought: order -> (SKU, pieces) of its lines that may be memberships.
    """
    paid = {one.sku: one for version in versions for one in version.document.paid}
    found: list[Membership] = []
    for order_id, (since, voided_at) in sorted(
        _times(facts, bought).items(), key=lambda one: (one[1][0], one[0])
    ):
        for sku, pieces in bought[order_id]:
            if sku not in paid:
                continue
            level = paid[sku].level
            start = max([since, *(one.until for one in found if one.level == level)])
            end = start + timedelta(days=paid[sku].days) * pieces
            if voided_at is not None:
                end = min(end, voided_at)
            if end > start:
                found.append(Membership(level, start, end))
    return found


def _times(
    facts: Sequence[Fact], bought: Mapping[Key, object]
) -> dict[Key, tuple[datetime, datetime | None]]:
    """When each order was paid, and when nothing of it was left to be paid for."""
    sums: dict[Key, int] = defaultdict(int)
    times: dict[Key, tuple[datetime, datetime | None]] = {}
    for fact in sorted(facts, key=lambda one: (one.at, one.event_key)):
        if fact.order_id is None or fact.order_id not in bought:
            continue
        sums[fact.order_id] += fact.amount_minor
        since, _ = times.get(fact.order_id, (fact.at, None))
        times[fact.order_id] = since, fact.at if sums[fact.order_id] <= 0 else None
    return times
