"""A channel's own business: what it sells is asked of the hub first, all of it or nothing; what
came of it is told by events. The words of its pages are those of its customers, Chinese.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from samples import bakery, telling
from samples.bakery import CURRENCY, Cake
from samples.books import Books
from samples.hub_client import SHOP, HubClient, HubError
from samples.telling import Event, Telling

ZONE = ZoneInfo("Asia/Shanghai")
TTL_S = 15 * 60
Order = dict[str, Any]


class NotPossible(Exception):
    """What was asked for can't be done; the words are for the customer."""


@dataclass(frozen=True)
class Wish:
    """One cake, to be picked up at a store. account: the buyer's, None of a guest."""

    cake: Cake
    place: str
    quantity: int = 1
    account: str | None = None
    recipient: dict[str, str] | None = None
    coupons: list[str] = field(default_factory=list)
    points: int = 0

    @property
    def amount_fen(self) -> int:
        """What it comes to, before coupons."""
        return self.cake.price_fen * self.quantity

    def basket(self) -> dict[str, Any]:
        """As the hub reads it, for a quote and for a checkout."""
        return {
            "shop": SHOP,
            "items": [{"sku": self.cake.sku, "quantity": str(self.quantity)}],
            "account": self.account,
            "coupons": self.coupons,
            "points": self.points,
            "amount": bakery.yuan(self.amount_fen),
            "currency": CURRENCY,
        }


@dataclass
class Shop:
    """What one channel sells, and its orders from basket to hand-over."""

    prefix: str
    books: Books
    hub: HubClient
    telling: Telling

    def open(self) -> None:
        """Describe what is sold and where, once: an event that was told stays as it was told."""
        if self.books.noted("described") is not None:
            return
        cakes = [
            {"sku": cake.sku, "name": cake.name, "unit": "piece", "category": "cakes"}
            for cake in bakery.CAKES
        ]
        stores = [
            {"place": store.place, "name": store.name, "kind": "store"} for store in bakery.STORES
        ]
        for cake in cakes:
            self.tell("item.upserted", cake["sku"], cake)
        for store in stores:
            self.tell("place.upserted", store["place"], store)
        self.books.note("described", True)

    async def fill_shelves(self) -> None:
        """Count what lies on the shelves of a bakery that the hub does not know yet. Raises
        `HubError`."""
        for cake in bakery.CAKES:
            try:
                known = (await self.hub.ask(f"/v1/stock/{cake.sku}"))["items"]
            except HubError as error:
                if error.status != 404:
                    raise
                known = []
            for store in bakery.STORES:
                if store.place not in {position["place"] for position in known}:
                    self.count(cake, store.place, cake.shelf)

    def count(self, cake: Cake, place: str, quantity: int) -> None:
        """Somebody counted what lies on the shelf."""
        now = datetime.now(ZONE).isoformat()
        counted = {"sku": cake.sku, "place": place, "quantity": str(quantity), "measured_at": now}
        self.tell("stock.counted", cake.sku, counted)

    async def quote(self, wish: Wish) -> dict[str, Any]:
        """What it would cost with these coupons and points. Raises `HubError`."""
        return await self.hub.look_up("/v1/quotes", **wish.basket())

    async def order(self, wish: Wish) -> Order:
        """Hold goods, coupons and points for a quarter of an hour. Raises `HubError`."""
        number = self._number()
        quote = await self.quote(wish) if wish.points else None
        wanted = wish.basket() | {"order_number": number, "place": wish.place, "ttl_s": TTL_S}
        held = await self.hub.command("/v1/checkouts", wanted, name=f"order-{number}")
        order: Order = {
            "number": number,
            "state": "held",
            "account": wish.account,
            "sku": wish.cake.sku,
            "name": wish.cake.name,
            "quantity": wish.quantity,
            "place": wish.place,
            "place_name": bakery.BY_PLACE[wish.place].name,
            "recipient": wish.recipient,
            "checkout_id": held["checkout_id"],
            "amount_fen": wish.amount_fen,
            "coupons": held["coupons"],
            "points": wish.points,
            "points_fen": bakery.fen(quote["points"]["pay"] or "0") if quote else 0,
        }
        order["to_pay_fen"] = wish.amount_fen - _paid_otherwise_fen(order)
        self.books.keep_order(order)
        return order

    async def pay(self, number: str) -> Order:
        """The money is here: the sale is made, and told. Raises `NotPossible`, `HubError`."""
        order = self._own(number, "held", "这张订单不能再付款")
        path = f"/v1/checkouts/{order['checkout_id']}/commit"
        await self.hub.command(path, name=f"pay-{number}")
        order["state"] = "paid"
        events = [self._event("order.placed", number, _placed(order))]
        if order["to_pay_fen"]:
            money = {"amount": bakery.yuan(order["to_pay_fen"]), "currency": CURRENCY}
            paid = {"order_number": number, "method": "wechat_pay", "payment_id": f"pay-{number}"}
            events.append(self._event("order.paid", number, paid | money))
        self._keep(order, events)
        return order

    async def cancel(self, number: str) -> Order:
        """The customer thought better of it: what was held is free again."""
        order = self._own(number, "held", "已付款的订单请联系门店退款")
        path = f"/v1/checkouts/{order['checkout_id']}/release"
        await self.hub.command(path, name=f"cancel-{number}")
        order["state"] = "cancelled"
        self._keep(order, [])
        return order

    def hand_over(self, number: str) -> Order:
        """The cake went over the counter. Raises `NotPossible`."""
        order = self._own(number, "paid", "这张订单现在不能取货")
        order["state"] = "picked_up"
        picked_up = {"order_number": number, "place": order["place"]}
        self._keep(order, [self._event("order.picked_up", number, picked_up)])
        return order

    async def sell_voucher(self, phone: str) -> dict[str, Any]:
        """A cake to be picked up later, for whoever proves this phone. Raises `HubError`."""
        cake = bakery.BY_SKU[bakery.VOUCHER_SKU]
        price = bakery.yuan(cake.price_fen)
        worth = {"face_value": price, "paid_amount": price, "currency": CURRENCY}
        wanted = {"shop": SHOP, "kind": "exchange", "template": bakery.VOUCHER}
        sold = {"order_number": self._number(), "recipient_phone": phone}
        return await self.hub.command("/v1/coupons", wanted | worth | sold, sold["order_number"])

    def tell(self, kind: str, subject: str, data: dict[str, Any]) -> None:
        """The hub is to hear of this."""
        self.books.tell([self._event(kind, subject, data)])
        self.telling.ring()

    def own_order(self, number: str) -> Order:
        """An order of this channel. Raises `NotPossible`."""
        order = self.books.order(number)
        if order is None:
            raise NotPossible(f"没有订单 {number}")
        return order

    def _own(self, number: str, state: Literal["held", "paid"], otherwise: str) -> Order:
        order = self.own_order(number)
        if order["state"] != state:
            raise NotPossible(otherwise)
        return order

    def _number(self) -> str:
        today = datetime.now(ZONE)
        return f"{self.prefix}{today:%Y%m%d}-{self.books.next_number():04d}"

    def _event(self, kind: str, subject: str, data: dict[str, Any]) -> Event:
        return telling.event(self.hub.channel, kind, subject, data)

    def _keep(self, order: Order, events: list[Event]) -> None:
        self.books.keep_order(order, events)
        self.telling.ring()


def total_fen(order: Order) -> int:
    """The price, less the coupons that lower it; what others pay for it is in it."""
    off = [one for one in order["coupons"] if not one["is_tender"]]
    return order["amount_fen"] - sum(bakery.fen(one["amount"]) for one in off)


def _paid_otherwise_fen(order: Order) -> int:
    """What coupons take off or pay, and points pay."""
    return sum(bakery.fen(coupon["amount"]) for coupon in order["coupons"]) + order["points_fen"]


def _placed(order: Order) -> dict[str, Any]:
    """`order.placed`: coupons that lower the price are discounts, the others pay for it."""
    price = bakery.yuan(order["amount_fen"])
    unit = bakery.yuan(order["amount_fen"] // order["quantity"])
    line = {"line": "1", "sku": order["sku"], "quantity": str(order["quantity"])}
    off = [one for one in order["coupons"] if not one["is_tender"]]
    pays = [one for one in order["coupons"] if one["is_tender"]]
    discounts = [{"kind": "coupon", "amount": c["amount"], "coupon": c["code"]} for c in off]
    tenders = [{"kind": "voucher", "amount": c["amount"], "coupon": c["code"]} for c in pays]
    if order["points"]:
        amount = bakery.yuan(order["points_fen"])
        tenders.append({"kind": "points", "amount": amount, "points": order["points"]})
    placed = {
        "order_number": order["number"],
        "currency": CURRENCY,
        "lines": [line | {"unit_price": unit, "amount": price}],
        "discounts": discounts,
        "tenders": tenders,
        "total": bakery.yuan(total_fen(order)),
        "place": order["place"],
        "buyer": {"account": order["account"]} if order["account"] else None,
        "recipient": order["recipient"],
    }
    return {name: value for name, value in placed.items() if value}
