"""The four stories this hub was begun for, told end to end through its API, each with its proof.

A channel does what its own system would: it posts events, asks and decides over HTTP with its own
key. Nothing is looked up behind the API.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.demo.api_client import ChannelClient, RefusedError
from hub.demo.bakery.town import MINIPROGRAM, WEBSITE
from hub.demo.envelope import Fact, Record, record, source, time_text

SHOP = "main"
CAKE, CAKE_PRICE = "cake-birthday-8", "198.00"
FACE_VALUE = "198.00"
EARNED, SPENT = 198, 150
Clients = dict[str, ChannelClient]


def phone_of(suffix: str = "") -> str:
    """Lin's phone when the stories are told with this suffix."""
    return f"199{int(suffix.strip('-') or 1):08d}"


@dataclass(frozen=True)
class Told:
    """A story: its name for figures, what happened in words, and whether it ended well."""

    name: str
    title: str
    ending: str
    holds: bool


@dataclass
class Teller:
    """Tells the stories in one hub; `suffix` tells this time from earlier ones. `sent`: events."""

    clients: Clients
    suffix: str
    sent: int = 0

    def tell(self) -> list[Told]:
        """All stories, in the order they build on each other."""
        self._open()
        stories: tuple[Callable[[], Told], ...] = (
            self._coupon, self._last_cake, self._points, self._orders
        )  # fmt: skip
        return [story() for story in stories]

    def _open(self) -> None:
        """Lin buys on the website; a stranger types her phone there; one cake is left."""
        phone = {"type": "phone", "value": self._phone}
        proved = [phone | {"proof": "verified"}]
        self._post(WEBSITE, "member.registered", account=self._lin, identifiers=proved)
        self._post(MINIPROGRAM, "member.registered", account=self._stranger, identifiers=[phone])
        now = time_text(int(datetime.now(UTC).timestamp()))
        counted = {"sku": self._cake, "place": self._store, "quantity": "1", "measured_at": now}
        self._post(MINIPROGRAM, "stock.counted", **counted)

    def _coupon(self) -> Told:
        """A guest's voucher of the website is used in the mini-program, by whom it is meant for."""
        sold = {
            "shop": SHOP,
            "kind": "exchange",
            "template": "birthday-cake",
            "face_value": FACE_VALUE,
            "paid_amount": FACE_VALUE,
            "currency": "CNY",
            "recipient_phone": self._phone,
        }
        code = self._ask(WEBSITE, "/v1/coupons", "issue", **sold)["code"]
        claim = f"/v1/coupons/{code}/claim"
        stranger = self._refused(MINIPROGRAM, claim, "by-stranger", account=self._stranger)
        phone = {"type": "phone", "value": self._phone, "proof": "verified"}
        self._post(MINIPROGRAM, "member.registered", account=self._lin, identifiers=[phone])
        self._ask(MINIPROGRAM, claim, "by-lin", shop=SHOP, account=self._lin)
        used = {"redemption_id": f"story{self.suffix}", "place": self._store}
        self._ask(MINIPROGRAM, f"/v1/coupons/{code}/redeem", "use", shop=SHOP, **used)
        again = {"redemption_id": f"web{self.suffix}"}
        twice = self._refused(WEBSITE, f"/v1/coupons/{code}/redeem", "twice", **again)
        seen = self.clients[WEBSITE].coupon(code)
        holds = stranger and twice and seen is not None and seen["status"] == "redeemed"
        return Told(
            "guest_coupon_used_in_miniprogram",
            "官网游客买的蛋糕券,在小程序核销",
            "a stranger who typed the phone was refused, she used it once, the website knows",
            holds,
        )

    def _last_cake(self) -> Told:
        """Both channels want the last cake in the same moment."""
        wanted = {
            "shop": SHOP,
            "place": self._store,
            "items": [{"sku": self._cake, "quantity": "1"}],
        }

        number = f"last{self.suffix}"

        def buy(channel: str) -> bool:
            body = wanted | {"order_number": number}
            return not self._refused(channel, "/v1/checkouts", "last", **body)

        with ThreadPoolExecutor(2) as pool:
            bought = list(pool.map(buy, (WEBSITE, MINIPROGRAM)))
        line = {"line": "1", "sku": self._cake, "quantity": "1"}
        price = {"unit_price": CAKE_PRICE, "amount": CAKE_PRICE}
        placed = {"order_number": number, "currency": "CNY", "place": self._store}
        sold = {"lines": [line | price], "total": CAKE_PRICE}
        self._post(WEBSITE if bought[0] else MINIPROGRAM, "order.placed", **placed, **sold)
        left = {self.clients[c].available(self._cake, self._store) for c in self.clients}
        winner = "the website" if bought[0] else "the mini-program"
        return Told(
            "last_cake_sold_once",
            "最后一个蛋糕,两个渠道同时下单",
            f"{winner} got it, the other was told at once, both show none left",
            sorted(bought) == [False, True] and left == {0.0},
        )

    def _points(self) -> Told:
        """Points earned on the website are spent at the till."""
        self._sell(WEBSITE, f"earn{self.suffix}")
        asked = {"account": self._lin, "order_number": f"spend{self.suffix}", "points": SPENT}
        self._ask(MINIPROGRAM, "/v1/points/spend", "spend", shop=SHOP, **asked)
        shown = [client.balance(self._phone) for client in self.clients.values()]
        return Told(
            "points_earned_on_website_spent_in_store",
            "官网攒的积分,门店收银台用",
            f"{EARNED} earned, {SPENT} spent, both channels show {EARNED - SPENT}",
            shown == [EARNED - SPENT] * len(shown),
        )

    def _orders(self) -> Told:
        """All orders of a person in one place."""
        self._sell(MINIPROGRAM, f"till{self.suffix}")
        seen = [client.orders(self._phone) for client in self.clients.values()]
        wanted = {(WEBSITE, f"earn{self.suffix}"), (MINIPROGRAM, f"till{self.suffix}")}
        return Told(
            "all_orders_of_a_person_in_one_place",
            "一个人的全部订单,一处查询",
            "her orders of both channels, seen from either",
            all(wanted == {(o["channel"], o["order_number"]) for o in orders} for orders in seen),
        )

    def _sell(self, channel: str, number: str) -> None:
        line = {"line": "1", "sku": CAKE, "quantity": "1"}
        price = {"unit_price": CAKE_PRICE, "amount": CAKE_PRICE}
        placed = {
            "order_number": number,
            "currency": "CNY",
            "buyer": {"account": self._lin},
            "lines": [line | price],
            "total": CAKE_PRICE,
        }
        paid = {"order_number": number, "amount": CAKE_PRICE, "currency": "CNY"}
        self._post(channel, "order.placed", **placed)
        method = {"method": "wechat_pay", "payment_id": f"pay-{number}"}
        self._post(channel, "order.paid", **paid, **method)

    def _post(self, channel: str, kind: str, **data: Any) -> None:
        """Tell an event, and wait until it is applied."""
        subject = next(data[name] for name in ("account", "order_number", "sku") if name in data)
        event_id = f"story-{kind}-{subject}{self.suffix}"
        at_s = int(datetime.now(UTC).timestamp())
        fact = Fact(kind, event_id, source(channel, SHOP), subject, data)
        told: list[Record] = [record(at_s, fact)]
        self.clients[channel].wait(self.clients[channel].post(told))
        self.sent += 1

    def _ask(self, channel: str, path: str, name: str, **body: Any) -> dict[str, Any]:
        return self.clients[channel].command(path, f"story-{name}{self.suffix}", body)

    def _refused(self, channel: str, path: str, name: str, **body: Any) -> bool:
        """Whether the hub says that this is not possible now."""
        try:
            self._ask(channel, path, name, **{"shop": SHOP} | body)
        except RefusedError as error:
            if error.where.endswith(" 409"):
                return True
            raise
        return False

    @property
    def _phone(self) -> str:
        return phone_of(self.suffix)

    @property
    def _lin(self) -> str:
        return f"lin{self.suffix}"

    @property
    def _stranger(self) -> str:
        return f"stranger{self.suffix}"

    @property
    def _store(self) -> str:
        return f"bakery-xuhui{self.suffix}"

    @property
    def _cake(self) -> str:
        return f"cake-last{self.suffix}"
