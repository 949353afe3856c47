"""The day as before the hub: two separate systems, made equal by hand every two hours.

Each sells by its own count, knows its own vouchers and shows its own points; staff make them equal
on the even hours, from what really is there. A simulation, without I/O.
"""

from collections import defaultdict

from hub.demo.bakery.day import AskPoints, Bake, BuyVoucher, Intent, Order, UseVoucher
from hub.demo.bakery.outcome import Played, Truth, points_of
from hub.demo.bakery.town import CHANNELS

COPIED_EVERY_MINUTES = 120


class System:
    """One channel's own idea of the world."""

    def __init__(self) -> None:
        self.stock: dict[tuple[str, str], int] = defaultdict(int)
        self.points: dict[int, int] = defaultdict(int)
        self.vouchers: set[str] = set()


def play(intents: list[Intent]) -> Played:
    """Play the day and count what customers will dispute."""
    played, truth = Played(), Truth()
    systems = {channel: System() for channel in CHANNELS}
    copied_at = 0
    for intent in intents:
        if intent.minute // COPIED_EVERY_MINUTES > copied_at // COPIED_EVERY_MINUTES:
            _copy(systems, truth)
            copied_at = intent.minute
        _play_one(intent, systems, truth, played)
    return played


def _play_one(intent: Intent, systems: dict[str, System], truth: Truth, played: Played) -> None:
    match intent:
        case Bake():
            truth.bake(intent)
            # The kitchen tells both systems: even before the hub that much was done by phone.
            for system in systems.values():
                system.stock[intent.cake.sku, intent.store.place] += intent.quantity
        case Order():
            _order(intent, systems[intent.channel], truth, played)
        case BuyVoucher():
            systems[intent.channel].vouchers.add(intent.voucher)
        case UseVoucher():
            if intent.voucher in systems[intent.channel].vouchers:
                played.vouchers_used += 1
            else:
                played.disputes.unknown_vouchers += 1
        case AskPoints():
            number = intent.member.number
            if systems[intent.channel].points[number] != truth.points[number]:
                played.disputes.wrong_balances += 1


def _order(order: Order, system: System, truth: Truth, played: Played) -> None:
    shelf = (order.cake.sku, order.store.place)
    if system.stock[shelf] < order.quantity:
        played.refused_orders += 1
        return
    system.stock[shelf] -= order.quantity
    system.points[order.member.number] += points_of(order)
    played.orders += 1
    if not truth.sell(order):
        played.disputes.oversold_orders += 1


def _copy(systems: dict[str, System], truth: Truth) -> None:
    """Staff set each system to what really is there and hand over vouchers and points."""
    vouchers = set().union(*(system.vouchers for system in systems.values()))
    for system in systems.values():
        system.stock.update(truth.shelves)
        system.points = defaultdict(int, truth.points)
        system.vouchers = set(vouchers)
