"""What deliveries say, made when they are sent.

So an erasure reaches what still waits, and stock is told as it is then. Which deliveries there are:
`hub.store.deliveries`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain import ids
from hub.domain.delivering import STOCK_CHANGED
from hub.domain.ids import Key
from hub.rules import masking
from hub.store import outbox, rule_book, stock_told
from hub.store.db import Connection
from hub.store.deliveries import Delivery
from hub.store.outbox import Position, Told
from hub.store.rule_book import About, RuleBook
from hub.store.sealing import Vault

Said = dict[str, Any]
"""A CloudEvent, ready for JSON."""


async def bodies_of(
    connection: Connection,
    vault: Vault,
    wanted: Sequence[Delivery],
    fresh: Mapping[Position, Told],
) -> dict[Key, Said | None]:
    """What each delivery that is no rule's says, as a CloudEvent; None if nothing is left to say
    (the person was erased). fresh: facts that were read a moment ago."""
    wanted = [one for one in wanted if one.rule is None]
    missing = sorted({one.position for one in wanted if one.position not in fresh})
    read = await outbox.told_at(connection, vault, missing) if missing else []
    facts = {fact.position: fact for fact in read}
    of_stock = [(one.sku, one.place) for one in wanted if one.sku and one.place]
    positions = (
        await stock_told.positions(connection, *zip(*of_stock, strict=True)) if of_stock else {}
    )
    found: dict[Key, Said | None] = {}
    for one in wanted:
        fact = fresh.get(one.position) or facts.get(one.position)
        if one.sku is not None and one.place is not None:
            found[one.delivery_id] = _stock(one, positions.get((one.sku, one.place)), fact)
        else:
            found[one.delivery_id] = _told(one, fact)
    return found


async def by_rule(
    connection: Connection,
    vault: Vault,
    book: RuleBook,
    delivery: Delivery,
    *,
    is_masked: bool = False,
) -> Said | None:
    """What a rule has to say, made from the fact and the version that ran; None if that is nothing
    any more. is_masked: as people may look at it. Raises `RuleBroken` and what making it raises."""
    assert delivery.rule is not None
    assert delivery.action is not None
    compiled = await book.version(connection, delivery.rule, delivery.rule_version or 0)
    about = About(delivery.position, delivery.sku, delivery.place)
    found = await rule_book.made(connection, vault, compiled, about)
    if found is None:
        return None
    fact, run = found
    effect = rule_book.effect_of(run, delivery.action)
    if effect is None:
        return None  # a position that changed meanwhile, about which the rule has nothing to say
    if is_masked:
        effect = masking.masked_effect(effect, fact, compiled)
    said = rule_book.cloud_event(delivery.rule, run.version, fact, effect)
    if delivery.sku is not None:
        said["id"] = f"{ids.text(delivery.delivery_id)}-{delivery.generation}"
    return said


def _told(delivery: Delivery, fact: Told | None) -> Said | None:
    if fact is None or "data" not in fact.said:
        return None
    return fact.said | {"replayed": True} if delivery.is_replay else fact.said


def _stock(delivery: Delivery, row: Any, fact: Told | None) -> Said | None:
    if row is None:
        return None
    said = {
        "specversion": "1.0",
        "id": f"{ids.text(delivery.delivery_id)}-{delivery.generation}",
        "source": "/hub",
        "type": STOCK_CHANGED,
        "subject": delivery.sku,
        "datacontenttype": "application/json",
        "data": stock_told.stock_data(row),
    }
    if fact is None:
        return said
    kept = {name: fact.said[name] for name in ("time", "traceparent") if name in fact.said}
    return said | kept
