"""Who gets the goods where more was sold than there is. Pure.

The policy is data (configuration of kind `oversell`, document `default`); without one, what the hub
itself promised comes before what channels sold on their own counters, then the order of placing.
Which orders claim a stock item: `hub.store.overselling`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from hub.domain.documents import Document, convert
from hub.domain.ids import Key

NAME = "default"
Criterion = Literal["promised", "channel", "placed"]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """What decides, in this order; channels: which of them comes before which."""

    first: Annotated[tuple[Criterion, ...], Meta(min_length=1)] = ("promised", "placed")
    channels: tuple[str, ...] = ()


class Claim(Struct, frozen=True):
    """So much of a stock item that an order was promised and has not been given, in thousandths."""

    order_id: Key
    channel: str
    shop: str
    order_number: str
    quantity_milli: int
    placed_at: datetime
    is_promised: bool


def read(document: Document) -> Policy:
    return convert(document, Policy)


def share(
    claims: Sequence[Claim], there_milli: int, policy: Policy
) -> tuple[list[Claim], list[Claim]]:
    """Who gets what is there, and who goes without. An order gets all it claims or nothing."""
    chosen: list[Claim] = []
    short: list[Claim] = []
    for claim in sorted(claims, key=lambda claim: _rank(claim, policy)):
        if claim.quantity_milli <= there_milli:
            there_milli -= claim.quantity_milli
            chosen.append(claim)
        else:
            short.append(claim)
    return chosen, short


def _rank(claim: Claim, policy: Policy) -> tuple[Any, ...]:
    """Ends with the order's identity: two runs never choose differently."""
    return (*(_by(criterion, claim, policy) for criterion in policy.first), claim.order_id)


def _by(criterion: Criterion, claim: Claim, policy: Policy) -> Any:
    if criterion == "promised":
        return not claim.is_promised
    if criterion == "placed":
        return claim.placed_at
    known = policy.channels
    return known.index(claim.channel) if claim.channel in known else len(known)
