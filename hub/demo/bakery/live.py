"""The same day through the hub: each channel asks the hub's API and tells it by events.

The day is squeezed: between two intents lie minutes, so the player waits until the hub has applied
what an intent told before it plays the next one. Everything else is real: HTTP, Kafka, workers,
Postgres. What goes wrong is counted against the same truth as in the other play.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.demo.api_client import ChannelClient
from hub.demo.bakery.day import AskPoints, Bake, BuyVoucher, Intent, Order, UseVoucher
from hub.demo.bakery.outcome import Played, Truth
from hub.demo.bakery.telling import Teller
from hub.demo.bakery.town import CAKES, MINIPROGRAM, Town
from hub.demo.envelope import Record

UNUSED = ("issued", "claimed")
Clients = dict[str, ChannelClient]


def plays_before(clients: Clients) -> int:
    """How often the day was played in this hub already."""
    places = clients[MINIPROGRAM].places(CAKES[0].sku)
    return len(places) // 3


@dataclass
class _Run:
    """One play as it goes on. `sent`: events told so far."""

    clients: Clients
    teller: Teller
    truth: Truth = field(default_factory=Truth)
    played: Played = field(default_factory=Played)
    collections: list[tuple[int, str, list[Record]]] = field(default_factory=list)
    sent: int = 0

    def tell(self, channel: str, records: list[Record]) -> None:
        """Post events and wait until the hub has applied them."""
        client = self.clients[channel]
        client.wait(client.post(records))
        self.sent += len(records)


def play(
    clients: Clients,
    town: Town,
    intents: list[Intent],
    suffix: str = "",
    on_intent: Callable[[], None] = lambda: None,
) -> tuple[Played, int]:
    """Play the day; what came of it, and how many events were told."""
    run = _Run(clients, Teller(suffix))
    for channel, records in run.teller.opening(town).items():
        run.tell(channel, records)
    for intent in intents:
        _collect_until(run, intent.minute)
        _play_one(run, intent)
        on_intent()
    _collect_until(run, 24 * 60)
    return run.played, run.sent


def _play_one(run: _Run, intent: Intent) -> None:
    match intent:
        case Bake():
            run.truth.bake(intent)
            run.tell(MINIPROGRAM, run.teller.baked([intent]))
        case Order():
            _order(run, intent)
        case BuyVoucher():
            run.tell(intent.channel, run.teller.bought(intent))
        case UseVoucher():
            _use(run, intent)
        case AskPoints():
            shown = run.clients[intent.channel].balance(intent.member.phone)
            if shown != run.truth.points[intent.member.number]:
                run.played.disputes.wrong_balances += 1


def _order(run: _Run, order: Order) -> None:
    place = run.teller.place(order.store.place)
    if run.clients[order.channel].available(order.cake.sku, place) < order.quantity:
        run.played.refused_orders += 1
        return
    run.played.orders += 1
    run.tell(order.channel, run.teller.ordered(order, run.played.orders))
    collected = run.teller.collected(order, run.played.orders)
    run.collections.append((order.slot_minute + 20, order.channel, collected))
    if not run.truth.sell(order):
        run.played.disputes.oversold_orders += 1


def _use(run: _Run, use: UseVoucher) -> None:
    coupon = run.clients[use.channel].coupon(run.teller.code(use.voucher))
    if coupon is None or coupon["status"] not in UNUSED:
        run.played.disputes.unknown_vouchers += 1
        return
    run.played.vouchers_used += 1
    run.tell(use.channel, run.teller.used(use))


def _collect_until(run: _Run, minute: int) -> None:
    """Customers pick up what is due by now; nobody waits for it at the counter of another."""
    due = [c for c in run.collections if c[0] <= minute]
    run.collections = [c for c in run.collections if c[0] > minute]
    for _, channel, records in due:
        run.clients[channel].post(records)
        run.sent += len(records)
