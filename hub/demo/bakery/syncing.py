"""Sync rules at work: the templates are published as a person would, the day's real events flow,
and the channels' own servers see what they are told.

Nothing is looked up behind the API, but for the keys.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.demo.api_client import ChannelClient
from hub.demo.bakery.receiving import Receivers
from hub.demo.bakery.stories import Clients, Told
from hub.demo.bakery.town import MINIPROGRAM, WEBSITE
from hub.demo.bakery.waiting import wait
from hub.demo.envelope import Fact, Record, record, source, time_text
from hub.rules import drafts

SHOP = "main"
TIMEOUT_S = 30.0
HERE = {"website": WEBSITE, "mini-program": MINIPROGRAM}
REASON = "the bakery's demo"
HOUSE = "house"
HOUSE_SCOPES = ("rules:read", "rules:write", "cases:read")
"""Of the key of no channel by which rules are published."""
GOLD_GROWTH = 10**12
CLUB = {
    "basis": "growth",
    "levels": [
        {"name": "gold", "threshold": GOLD_GROWTH, "gift": {"template": "cake", "valid_days": 365}}
    ],
    "window_days": 730,
    "validity_days": 730,
}
"""A scheme whose one level nobody reaches by buying."""


@dataclass
class Syncing:
    """The templates' rules in one hub; `suffix` tells this time from earlier ones."""

    clients: Clients
    house: ChannelClient
    receivers: Receivers
    suffix: str = ""
    sent: int = 0
    results: dict[str, bool] = field(default_factory=dict)
    subscriptions: dict[str, str] = field(default_factory=dict)

    def publish(self) -> None:
        """Subscribe both channels, and publish all templates for them."""
        for channel, client in self.clients.items():
            types = ["rule.*", "points.adjusted"]
            wanted = {"label": "own", "types": types, "target_url": self.receivers.address(channel)}
            made = client.command("/v1/subscriptions", f"sync-{channel}{self.suffix}", wanted)
            self.subscriptions[channel] = made["subscription_id"]
        for template in sorted(drafts.templates()):
            rule = drafts.draft(template, template, HERE)
            wanted = {"rule": rule, "reason": REASON}
            self.house.command("/v1/rules", f"sync-{template}{self.suffix}", wanted)

    def end(self) -> None:
        """Stop the rules and listen no more: what comes next is not the bakery's."""
        for template in sorted(drafts.templates()):
            path = f"/v1/rules/{template}/pause"
            self.house.command(path, f"sync-pause-{template}{self.suffix}", {"reason": REASON})
        for channel, subscription_id in self.subscriptions.items():
            self.clients[channel].end(f"/v1/subscriptions/{subscription_id}")

    def try_each(self) -> dict[str, bool]:
        """Let what each template is for happen; template -> whether the channels saw it."""
        self._post(WEBSITE, "member.registered", account=self._lin)
        self._post(MINIPROGRAM, "member.registered", account=self._lin)
        for template in sorted(drafts.templates()):
            case = template.replace("-", "_")
            seen: Callable[[], bool] = getattr(self, f"_{case}")()
            self.results[template] = wait(seen, TIMEOUT_S)
        return self.results

    def told(self) -> Told:
        """How it ended: every effect of the rule was seen, by the channel that had to see it."""
        rule = "order-to-all-channels"

        def all_seen() -> bool:
            effects = sum(one["effects"] for one in self.figures(rule))
            return effects == sum(len(self._seen(channel, rule)) for channel in self.clients)

        holds = wait(all_seen, TIMEOUT_S)
        count = sum(len(self._seen(channel, rule)) for channel in self.clients)
        tried = sum(self.results.values())
        return Told(
            "orders_synced_by_a_rule",
            "下单后按规则同步到官网和小程序",
            f"{count} orders seen by the other channel; {tried} of {len(self.results)} templates",
            holds and all(self.results.values()),
        )

    def figures(self, rule: str) -> list[dict[str, Any]]:
        """What each version of a rule did."""
        return self.house.ask(f"/v1/rules/{rule}/figures")["versions"]

    def runs(self) -> dict[str, int]:
        """Rule -> how many of its runs did something."""
        return {
            template: sum(one["done"] for one in self.figures(template))
            for template in sorted(drafts.templates())
        }

    def _order_to_all_channels(self) -> Callable[[], bool]:
        number = self._sell(WEBSITE, "rule-order")
        return lambda: any(
            one["data"]["order_number"] == number and one["data"]["sold_in"] == WEBSITE
            for one in self._seen(MINIPROGRAM, "order-to-all-channels")
        )

    def _live_order_to_website(self) -> Callable[[], bool]:
        number = self._sell(MINIPROGRAM, "rule-live", session={"session_id": f"live{self.suffix}"})
        return lambda: all(
            any(
                one["data"] == one["data"] | {"order_number": number, "total_fen": 19_800}
                for one in self._seen(channel, "live-order-to-website")
            )
            for channel in self.clients
        )

    def _stock_to_all_channels(self) -> Callable[[], bool]:
        self._count("rule-cake", "9")
        return lambda: all(
            any(
                (one["data"]["sku"], one["data"]["available"]) == (self._sku("rule-cake"), "9.000")
                for one in self._seen(channel, "stock-to-all-channels")
            )
            for channel in self.clients
        )

    def _low_stock_alert(self) -> Callable[[], bool]:
        self._count("rule-low", "2")

        def is_open() -> bool:
            about = f"object_kind=item&object_key={self._sku('rule-low')}"
            return bool(self.house.ask(f"/v1/cases?{about}")["items"])

        return is_open

    def _coupon_to_wallet(self) -> Callable[[], bool]:
        sold = {"kind": "discount", "template": "tea", "face_value": "10.00", "currency": "CNY"}
        asked = {"shop": SHOP, "account": self._lin} | sold
        code = self.clients[WEBSITE].command("/v1/coupons", f"rule-tea{self.suffix}", asked)["code"]
        return lambda: any(
            one["data"] == {"code": code, "template": "tea"}
            for one in self._seen(MINIPROGRAM, "coupon-to-wallet")
        )

    def _points_about_to_expire(self) -> Callable[[], bool]:
        ends = time_text(int((datetime.now(UTC) + timedelta(days=9)).timestamp()))
        gift = {"account": self._lin, "points": 77, "reason": "a gift", "expires_at": ends}
        self._post(MINIPROGRAM, "points.earned", **gift)
        rule = "points-about-to-expire"
        self.house.command(f"/v1/rules/{rule}/start", f"sync-run{self.suffix}", {"reason": REASON})
        return lambda: any(
            one["data"]["account"] == self._lin and one["data"]["points"] >= gift["points"]
            for one in self._seen(MINIPROGRAM, rule)
        )

    def _pickup_reported(self) -> Callable[[], bool]:
        number = self._sell(MINIPROGRAM, "rule-pickup")
        line = {"line": "1", "quantity": "1"}
        self._post(MINIPROGRAM, "order.picked_up", order_number=number, lines=[line])
        return lambda: any(
            one["data"]["order_number"] == number and one["data"]["status"] == "fulfilled"
            for one in self._seen(MINIPROGRAM, "pickup-reported")
        )

    def _tier_upgrade_gift(self) -> Callable[[], bool]:
        granted = {"account": self._lin, "growth": GOLD_GROWTH, "reason": "a good customer"}
        self._post(WEBSITE, "member.growth_earned", **granted)
        return lambda: any(
            one["data"]["level"] == "gold" and one["data"]["code"]
            for one in self._seen(MINIPROGRAM, "tier-upgrade-gift")
        )

    def _refund_takes_points_back(self) -> Callable[[], bool]:
        number = self._sell(WEBSITE, "rule-refund")
        money = {"order_number": number, "amount": "30.00", "currency": "CNY"}
        self._post(WEBSITE, "refund.succeeded", refund_id=f"r{self.suffix}", **money)
        return lambda: any(
            one["data"]["points"] == -30 and one["data"]["account"] == self._lin
            for one in self.receivers.of(WEBSITE, "points.adjusted")
        )

    def _seen(self, channel: str, rule: str) -> list[dict[str, Any]]:
        return self.receivers.of(channel, f"rule.{rule}")

    def _sell(self, channel: str, number: str, **more: Any) -> str:
        number = f"{number}{self.suffix}"
        price = {"unit_price": "198.00", "amount": "198.00"}
        placed = {
            "order_number": number,
            "currency": "CNY",
            "buyer": {"account": self._lin},
            "lines": [{"line": "1", "sku": "cake-birthday-8", "quantity": "1"} | price],
            "total": "198.00",
        }
        self._post(channel, "order.placed", **(placed | more))
        paid = {"order_number": number, "amount": "198.00", "currency": "CNY"}
        method = {"method": "wechat_pay", "payment_id": f"pay-{number}"}
        self._post(channel, "order.paid", **paid, **method)
        return number

    def _count(self, sku: str, quantity: str) -> None:
        now = time_text(int(datetime.now(UTC).timestamp()))
        counted = {"place": f"bakery-xuhui{self.suffix}", "quantity": quantity, "measured_at": now}
        self._post(MINIPROGRAM, "stock.counted", sku=self._sku(sku), **counted)

    def _post(self, channel: str, kind: str, **data: Any) -> None:
        subject = next(data[name] for name in ("order_number", "account", "sku") if name in data)
        event_id = f"sync-{kind}-{subject}{self.suffix}"
        at_s = int(datetime.now(UTC).timestamp())
        fact = Fact(kind, event_id, source(channel, SHOP), subject, data)
        told: list[Record] = [record(at_s, fact)]
        self.clients[channel].wait(self.clients[channel].post(told))
        self.sent += 1

    def _sku(self, name: str) -> str:
        return f"{name}{self.suffix}"

    @property
    def _lin(self) -> str:
        return f"lin-rules{self.suffix}"


@contextmanager
def syncing(clients: Clients, house: ChannelClient, suffix: str = "") -> Iterator[Syncing]:
    """Rules published and channels listening, until the end."""
    with Receivers(tuple(clients)).listening() as receivers:
        found = Syncing(clients, house, receivers, suffix)
        found.publish()
        yield found
        found.end()
