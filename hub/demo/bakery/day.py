"""What customers want on the day before Mother's Day, minute by minute: pure intents.

Who gets what is not decided here: that is where two separate systems and the hub differ.
"""

import random
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from hub.demo.bakery.town import CHANNELS, MINIPROGRAM, WEBSITE, Cake, Member, Store, Town

DATE = date(2025, 5, 10)
OPENS_MINUTE, CLOSES_MINUTE = 8 * 60, 21 * 60
ORDERS, VOUCHERS, QUESTIONS = 260, 40, 60
BAKED_AT_MINUTES = (7 * 60, 11 * 60 + 30, 15 * 60 + 30)
CAKES_BAKED_MAX, ROLLS_BAKED = 5, 18
PICKUP_SLOT_MINUTES = 60


@dataclass(frozen=True)
class Bake:
    """Fresh goods arrive in a store."""

    minute: int
    store: Store
    cake: Cake
    quantity: int


@dataclass(frozen=True)
class Order:
    """A member wants goods from a store, to be picked up in the hour from `slot_minute` on."""

    minute: int
    channel: str
    member: Member
    store: Store
    cake: Cake
    quantity: int
    slot_minute: int


@dataclass(frozen=True)
class BuyVoucher:
    """A member buys a cake voucher: a code that is exchanged for a cake later."""

    minute: int
    channel: str
    member: Member
    voucher: str


@dataclass(frozen=True)
class UseVoucher:
    """A member shows a voucher in another channel than where it was bought."""

    minute: int
    channel: str
    member: Member
    voucher: str
    store: Store


@dataclass(frozen=True)
class AskPoints:
    """A member looks at their points in a channel."""

    minute: int
    channel: str
    member: Member


Intent = Bake | Order | BuyVoucher | UseVoucher | AskPoints


def intents(town: Town, seed: int) -> list[Intent]:
    """The day in the order it happens; the same for the same seed."""
    chance = random.Random(seed)
    wanted: list[Intent] = []
    for minute in BAKED_AT_MINUTES:
        for store in town.stores:
            wanted += [_bake(chance, minute, store, cake) for cake in town.cakes]
    wanted += [_order(chance, town) for _ in range(ORDERS)]
    both = [member for member in town.members if len(member.channels) == len(CHANNELS)]
    for number in range(1, VOUCHERS + 1):
        wanted += _voucher(chance, town, chance.choice(both), f"CAKE-{number:04d}")
    wanted += [_question(chance, chance.choice(both)) for _ in range(QUESTIONS)]
    wanted.sort(key=attrgetter("minute"))
    return wanted


def _bake(chance: random.Random, minute: int, store: Store, cake: Cake) -> Bake:
    is_roll = cake.sku.startswith("bread")
    quantity = ROLLS_BAKED if is_roll else chance.randint(2, CAKES_BAKED_MAX)
    return Bake(minute, store, cake, quantity)


def _order(chance: random.Random, town: Town) -> Order:
    member = chance.choice(town.members)
    # Busiest before noon and after work.
    peak = chance.choice((10.5 * 60, 17.5 * 60))
    minute = min(max(int(chance.gauss(peak, 110)), OPENS_MINUTE), CLOSES_MINUTE - 30)
    cake = chance.choice(town.cakes)
    quantity = chance.randint(1, 4) if cake.sku.startswith("bread") else 1
    slot = (minute // PICKUP_SLOT_MINUTES + chance.randint(1, 2)) * PICKUP_SLOT_MINUTES
    store = chance.choice(town.stores)
    return Order(minute, chance.choice(member.channels), member, store, cake, quantity, slot)


def _voucher(
    chance: random.Random, town: Town, member: Member, code: str
) -> tuple[BuyVoucher, UseVoucher]:
    """Bought in one channel, used in the other within half an hour to six hours."""
    bought_in, used_in = chance.sample((WEBSITE, MINIPROGRAM), 2)
    bought = chance.randint(OPENS_MINUTE, CLOSES_MINUTE - 400)
    used = bought + chance.randint(30, 360)
    return (
        BuyVoucher(bought, bought_in, member, code),
        UseVoucher(used, used_in, member, code, chance.choice(town.stores)),
    )


def _question(chance: random.Random, member: Member) -> AskPoints:
    minute = chance.randint(OPENS_MINUTE + 60, CLOSES_MINUTE - 1)
    return AskPoints(minute, chance.choice(CHANNELS), member)
