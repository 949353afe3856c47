"""What happens in the bakery, as the events its two systems tell the hub."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from hub.demo.amounts import amount_text
from hub.demo.bakery.day import DATE, Bake, BuyVoucher, Order, UseVoucher
from hub.demo.bakery.town import MINIPROGRAM, Member, Town
from hub.demo.envelope import Fact, Record, record, source, time_text

ZONE = ZoneInfo("Asia/Shanghai")
SHOP = "main"
CURRENCY = "CNY"
COUNTED_AT_MINUTE = 6 * 60
SUBJECT_OF = {
    "member": "account",
    "order": "order_number",
    "coupon": "code",
    "stock": "sku",
    "item": "sku",
    "place": "place",
}


def second(minute: int) -> int:
    """A minute of the bakery's day in seconds since 1970."""
    midnight = datetime.combine(DATE, time(), ZONE)
    return int(midnight.timestamp()) + 60 * minute


@dataclass(frozen=True)
class Teller:
    """Makes the events of one play. `suffix` tells the plays in one hub apart ("": the first)."""

    suffix: str = ""

    def place(self, place: str) -> str:
        """The place's name in this play."""
        return f"bakery-{place}{self.suffix}"

    def code(self, voucher: str) -> str:
        """The voucher's code in this play."""
        return f"{voucher}{self.suffix}"

    def opening(self, town: Town) -> dict[str, list[Record]]:
        """What exists in the morning, by the channel that tells it."""
        told = {channel: list(self._members(town, channel)) for channel in _channels(town)}
        told[MINIPROGRAM] += self._places_and_items(town)
        return told

    def baked(self, bakes: Iterable[Bake]) -> list[Record]:
        """Goods that arrive, told by the stores' system."""
        return [
            self._record(
                bake.minute, MINIPROGRAM, "stock.received",
                {"sku": bake.cake.sku, "place": self.place(bake.store.place),
                 "quantity": str(bake.quantity)},
                f"{bake.minute}-{bake.store.place}-{bake.cake.sku}",
            )
            for bake in bakes
        ]  # fmt: skip

    def ordered(self, order: Order, number: int) -> list[Record]:
        """An order with its payment."""
        name = f"{DATE:%Y%m%d}-{number:04d}{self.suffix}"
        total = amount_text(order.cake.price_minor * order.quantity)
        placed = {
            "order_number": name,
            "currency": CURRENCY,
            "buyer": {"account": self._account(order.member, order.channel)},
            "place": self.place(order.store.place),
            "lines": [
                {
                    "line": "1",
                    "sku": order.cake.sku,
                    "quantity": str(order.quantity),
                    "unit_price": amount_text(order.cake.price_minor),
                    "amount": total,
                }
            ],
            "total": total,
            "recipient": {"name": order.member.name, "phone": order.member.phone},
            "pickup_slot": time_text(second(order.slot_minute)),
        }
        paid = {
            "order_number": name,
            "amount": total,
            "currency": CURRENCY,
            "method": "wechat_pay",
            "payment_id": f"pay-{name}",
        }
        at = order.minute
        return [
            self._record(at, order.channel, "order.placed", placed),
            self._record(at, order.channel, "order.paid", paid),
        ]

    def collected(self, order: Order, number: int) -> list[Record]:
        """The order is handed over in its slot, and done."""
        name = f"{DATE:%Y%m%d}-{number:04d}{self.suffix}"
        data = {"order_number": name}
        at = order.slot_minute + 20
        return [
            self._record(at, order.channel, "order.picked_up", data),
            self._record(at, order.channel, "order.completed", data),
        ]

    def bought(self, buy: BuyVoucher) -> list[Record]:
        """A cake voucher is sold."""
        code = self.code(buy.voucher)
        data = {
            "code": code,
            "kind": "exchange",
            "account": self._account(buy.member, buy.channel),
            "template": "birthday-cake",
            "face_value": "198.00",
            "currency": CURRENCY,
        }
        return [self._record(buy.minute, buy.channel, "coupon.issued", data)]

    def used(self, use: UseVoucher) -> list[Record]:
        """A voucher is exchanged for a cake."""
        code = self.code(use.voucher)
        data = {
            "code": code,
            "redemption_id": f"{code}-1",
            "place": self.place(use.store.place),
            "account": self._account(use.member, use.channel),
        }
        return [self._record(use.minute, use.channel, "coupon.redeemed", data)]

    def _account(self, member: Member, channel: str) -> str:
        return member.account(channel) + self.suffix

    def _members(self, town: Town, channel: str) -> Iterator[Record]:
        for member in town.members:
            if channel not in member.channels:
                continue
            account = self._account(member, channel)
            found: list[dict[str, Any]] = [
                {"type": "phone", "value": member.phone, "proof": "verified"}
            ]
            if channel == MINIPROGRAM:
                found.append(
                    {"type": "openid", "value": f"o-{account}", "proof": "verified",
                     "app": "wx-bakery"}
                )  # fmt: skip
            data = {"account": account, "identifiers": found, "name": member.name}
            yield self._record(0, channel, "member.registered", data)

    def _places_and_items(self, town: Town) -> Iterator[Record]:
        at = COUNTED_AT_MINUTE
        for cake in town.cakes:
            data = {"sku": cake.sku, "name": cake.name, "unit": "piece", "category": "bakery"}
            yield self._record(at, MINIPROGRAM, "item.upserted", data)
        for store in town.stores:
            place = self.place(store.place)
            named = {"place": place, "name": store.name, "kind": "store"}
            yield self._record(at, MINIPROGRAM, "place.upserted", named)
            for cake in town.cakes:
                count = {
                    "sku": cake.sku,
                    "place": place,
                    "quantity": "0",
                    "measured_at": time_text(second(at)),
                }
                name = f"{place}-{cake.sku}"
                yield self._record(at, MINIPROGRAM, "stock.counted", count, name)

    def _record(
        self, minute: int, channel: str, kind: str, data: dict[str, Any], name: str = ""
    ) -> Record:
        """An event of this play; `name` tells it from its like where its subject does not."""
        subject = data[SUBJECT_OF[kind.partition(".")[0]]]
        event_id = f"{kind}-{name or subject}{self.suffix}"
        return record(second(minute), Fact(kind, event_id, source(channel, SHOP), subject, data))


def _channels(town: Town) -> list[str]:
    return sorted({channel for member in town.members for channel in member.channels})
