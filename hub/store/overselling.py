"""Cases of stock items of which more was sold than there is: who gets them, and who goes without.

The choice is in `hub.domain.overselling`; the case names it, and changes with it.
"""

from collections.abc import Iterable
from datetime import datetime

from hub.domain import ids, money, overselling
from hub.domain.ids import Key, derived
from hub.domain.overselling import Claim, Policy
from hub.domain.stock import Position
from hub.store import configs
from hub.store.cases import Case, follow
from hub.store.db import Connection, queries
from hub.store.records import Work

NAMED_MAX = 50
"""Orders of each side that a case names: more are counted."""
At = tuple[str, str]
"""(sku, place)"""


async def follow_oversold(
    connection: Connection, positions: dict[At, Position], was_oversold: set[At], work: Work
) -> None:
    """Open a case for each position that is below zero, close it when it no longer is."""
    oversold = {at: position for at, position in positions.items() if position.is_oversold}
    if not oversold and not was_oversold:
        return
    wanted: dict[Key, Case] = {}
    if oversold:
        policy = await _policy(connection, work.received_at)
        claims = await _claims(connection, oversold)
        for at, position in oversold.items():
            detail = _detail(position, claims.get(at, []), policy)
            wanted[case_id(at)] = Case("oversold", "stock", f"{at[1]}/{at[0]}", detail)
    candidates = {case_id(at) for at in was_oversold}
    await follow(connection, wanted, candidates, work.received_at)


async def _policy(connection: Connection, at: datetime) -> Policy:
    published = await configs.current(connection, "oversell", at)
    return published.get(overselling.NAME) or Policy()


async def _claims(connection: Connection, places: Iterable[At]) -> dict[At, list[Claim]]:
    listed = sorted(places)
    rows = await connection.fetch(
        queries("stock")["claims"], [sku for sku, _ in listed], [place for _, place in listed]
    )
    claims: dict[At, list[Claim]] = {}
    for sku, place, *claim in rows:
        claims.setdefault((sku, place), []).append(Claim(*claim))
    return claims


def _detail(position: Position, claims: list[Claim], policy: Policy) -> dict[str, object]:
    there_milli = position.on_hand_milli - position.unavailable_milli
    chosen, short = overselling.share(claims, there_milli, policy)
    return {
        "sku": position.sku,
        "place": position.place,
        "short": _text(-position.available_milli),
        "policy": list(policy.first),
        "chosen": [_named(claim) for claim in chosen[:NAMED_MAX]],
        "chosen_count": len(chosen),
        "without": [_named(claim) for claim in short[:NAMED_MAX]],
        "without_count": len(short),
    }


def _named(claim: Claim) -> dict[str, str]:
    return {
        "order_id": ids.text(claim.order_id),
        "channel": claim.channel,
        "shop": claim.shop,
        "order_number": claim.order_number,
        "quantity": _text(claim.quantity_milli),
    }


def _text(milli: int) -> str:
    return money.decimal_text(milli, money.QUANTITY_DIGITS)


def case_id(at: At) -> Key:
    """The case of a position that is below zero, open or not."""
    return derived("oversold", ids.stock_id(*at))
