"""What went wrong on the day, counted alike for both plays, and the truth to count against."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field

from hub.demo.bakery.day import Bake, Order


@dataclass
class Disputes:
    """What a customer comes to complain about."""

    oversold_orders: int = 0
    unknown_vouchers: int = 0
    wrong_balances: int = 0

    @property
    def total(self) -> int:
        """All disputes of the day."""
        return sum(asdict(self).values())


@dataclass
class Played:
    """A play of the day. `refused_orders`: asked for and not sold, rightly or not."""

    disputes: Disputes = field(default_factory=Disputes)
    orders: int = 0
    refused_orders: int = 0
    vouchers_used: int = 0


class Truth:
    """What is really on the shelves, and what each member really has earned."""

    def __init__(self) -> None:
        self.shelves: dict[tuple[str, str], int] = defaultdict(int)
        self.points: dict[int, int] = defaultdict(int)

    def bake(self, bake: Bake) -> None:
        """Goods arrive."""
        self.shelves[bake.cake.sku, bake.store.place] += bake.quantity

    def sell(self, order: Order) -> bool:
        """An accepted order takes goods; False if they are not there: the order is oversold."""
        self.points[order.member.number] += points_of(order)
        return self.take(order.cake.sku, order.store.place, order.quantity)

    def take(self, sku: str, place: str, quantity: int) -> bool:
        """Take goods off the shelf if they are there."""
        if self.shelves[sku, place] < quantity:
            return False
        self.shelves[sku, place] -= quantity
        return True


def points_of(order: Order) -> int:
    """One point for each whole yuan of the order."""
    return order.cake.price_minor * order.quantity // 100
