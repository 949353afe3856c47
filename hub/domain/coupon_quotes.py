"""What a coupon is worth to a basket: threshold, discount, and which others it may stand beside.
Pure. Whether it may be used at all, and by whom, is in `hub.domain.coupon_rights`."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from hub.domain.coupon_data import Terms
from hub.domain.earning import Bill

TENDERS = ("exchange", "times")
"""Kinds that pay, since they were paid for; the others lower the price."""


class Offer(Struct, frozen=True):
    """A coupon as a quote needs it."""

    code: str
    kind: str
    template: str | None
    face_value_minor: int | None
    currency: str | None
    terms: Terms


class Quote(Struct, frozen=True):
    """What it takes off or pays, in minor units; or why it does not (codes)."""

    amount_minor: int
    is_tender: bool
    obstacles: tuple[str, ...] = ()


def quote(offer: Offer, amount_minor: int, currency: str, others: Sequence[Offer] = ()) -> Quote:
    """The coupon on an order's amount before it, beside other coupons of the same order."""
    is_tender = offer.kind in TENDERS
    obstacles = tuple(_obstacles(offer, amount_minor, currency, others))
    worth = 0 if obstacles else _worth(offer, amount_minor)
    return Quote(worth, is_tender, obstacles)


def together(offers: Sequence[Offer], amount_minor: int, currency: str) -> list[Quote]:
    """What each of these is worth where all are used on one order: what lowers the price first,
    then what pays, each in the order given, and none takes more than those before have left."""
    quotes = {
        i: quote(offer, amount_minor, currency, [*offers[:i], *offers[i + 1 :]])
        for i, offer in enumerate(offers)
    }
    left_minor = amount_minor
    for i in sorted(quotes, key=lambda i: quotes[i].is_tender):
        one = quotes[i]
        if one.amount_minor and not left_minor:
            quotes[i] = Quote(0, one.is_tender, (*one.obstacles, "nothing_left_to_pay"))
        else:
            quotes[i] = Quote(min(one.amount_minor, left_minor), one.is_tender, one.obstacles)
        left_minor -= quotes[i].amount_minor
    return [quotes[i] for i in range(len(offers))]


def bill(amount_minor: int, currency: str, quotes: Iterable[Quote]) -> Bill:
    """What is to be paid for an order on which these coupons are used."""
    listed = list(quotes)
    total_minor = amount_minor - sum(one.amount_minor for one in listed if not one.is_tender)
    left_minor = amount_minor - sum(one.amount_minor for one in listed)
    return Bill(total_minor, left_minor, currency)


def _obstacles(
    offer: Offer, amount_minor: int, currency: str, others: Sequence[Offer]
) -> list[str]:
    found = []
    if offer.currency is not None and offer.currency != currency:
        found.append("currency_differs")
    elif (offer.terms.minimum_minor or 0) > amount_minor:
        found.append("minimum_not_reached")
    if any(not (_allows(offer, other) and _allows(other, offer)) for other in others):
        found.append("not_beside_the_others")
    if offer.terms.once_per_person and any(_is_alike(offer, other) for other in others):
        found.append("once_per_person")
    return found


def _is_alike(one: Offer, other: Offer) -> bool:
    return one.template is not None and one.template == other.template


def _allows(one: Offer, other: Offer) -> bool:
    """Whether `one` may stand beside `other`; paying by vouchers lowers no price and always may."""
    if one.kind in TENDERS or one.terms.stacking == "any":
        return True
    if other.kind in TENDERS:
        return True
    if one.terms.stacking == "alone":
        return False
    return one.template is None or one.template != other.template


def _worth(offer: Offer, amount_minor: int) -> int:
    terms = offer.terms
    if terms.percent_off is not None:
        worth = (amount_minor * terms.percent_off + 50) // 100  # half a fen is the buyer's
    else:
        worth = offer.face_value_minor or 0
    if terms.maximum_minor is not None:
        worth = min(worth, terms.maximum_minor)
    return min(worth, amount_minor)
