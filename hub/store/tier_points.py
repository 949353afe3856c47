"""Points that orders earn by their buyer's level, in a lot of their own beside the order's.

What is to be there follows from the order's lot and from the levels; entries are the difference to
what is. Which factor counts: `hub.domain.tier_points`.
"""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from hub.domain.earning import Terms
from hub.domain.ids import Key, derived
from hub.domain.points import Entry
from hub.domain.tier_points import Factor, Schemes, factor_at
from hub.domain.tier_standing import Standing
from hub.store.db import Connection, queries
from hub.store.earnings import lot_id
from hub.store.records import Granted, Work
from hub.store.tier_people import Person


class _Lot(Struct):
    """A lot as it will be after this write: its terms, and what is left of it."""

    terms: Terms
    earned_points: int


async def note(
    connection: Connection,
    work: Work,
    schemes: Schemes,
    told: Collection[tuple[Person, Mapping[str, Standing]]],
) -> None:
    """Note what these members' orders earn by their levels now, where it differs."""
    standings = {profile: levels for person, levels in told for profile in person.profiles}
    orders = {order for person, _ in told for order in person.orders}
    rows = await connection.fetch(queries("tiers")["bonus_orders"], sorted(standings))
    orders |= {(row["profile_id"], row["order_id"]) for row in rows}
    lots = await _load(connection, work, sorted(orders))
    for profile, order_id in sorted(orders):
        base = lots.get(lot_id(order_id, profile))
        known = lots.get(_bonus_lot(order_id, profile))
        if base is None:
            continue
        factor = factor_at(schemes, standings[profile], base.terms.earned_at)
        if factor is not None or known is not None:
            _differ(work, (profile, order_id), _wanted(base, factor, known), known)


async def _load(
    connection: Connection, work: Work, orders: Iterable[tuple[Key, Key]]
) -> dict[Key, _Lot]:
    """The orders' lots and those beside them, with what this write brings."""
    named = [name(order_id, profile) for profile, order_id in orders for name in _NAMES]
    lots: dict[Key, _Lot] = {}
    for row in await connection.fetch(queries("tiers")["lots"], named):
        terms = Terms(
            row["granted_points"],
            row["earned_at"],
            row["opens_at"],
            row["expires_at"],
            row["rule_version"],
        )
        lots[row["lot_id"]] = _Lot(terms, row["earned_points"])
    for wanted in named:
        if (granted := work.lot_terms.get(wanted)) is not None:
            left = lots[wanted].earned_points if wanted in lots else 0
            lots[wanted] = _Lot(granted.terms, left)
    for entry in work.points:
        if entry.lot_id in lots:
            lots[entry.lot_id].earned_points += entry.points
    return lots


def _wanted(base: _Lot, factor: Factor | None, known: _Lot | None) -> _Lot:
    if factor is None:
        assert known is not None
        return _Lot(replace(known.terms, granted_points=0), 0)
    granted = factor.bonus(base.terms.granted_points)
    terms = replace(base.terms, granted_points=granted, rule_version=factor.rule_version)
    return _Lot(terms, factor.bonus(base.earned_points))


def _differ(work: Work, of: tuple[Key, Key], wanted: _Lot, known: _Lot | None) -> None:
    """Note the entry and the terms by which the lot beside an order's differs."""
    profile, order_id = of
    cause = work.taken[0].event.key
    bonus_lot = _bonus_lot(order_id, profile)
    points = wanted.earned_points - (known.earned_points if known is not None else 0)
    if points:
        entry = Entry(
            derived("tier_points", cause, bonus_lot),
            profile,
            "earned" if points > 0 else "reversed",
            points,
            bonus_lot,
            order_id,
            wanted.terms.earned_at,
            cause,
            wanted.terms.rule_version,
        )
        work.points.append(entry)
    if known is not None:
        work.known_lots.add(bonus_lot)
    if points or (known is not None and known.terms != wanted.terms):
        work.lot_terms[bonus_lot] = Granted(profile, wanted.terms, cause)


def _bonus_lot(order_id: Key, profile: Key) -> Key:
    return derived("tier_lot", order_id, profile)


_NAMES = (lot_id, _bonus_lot)
