"""Tells the events of one coupon, for tests of its fold."""

from typing import Any

import msgspec

from hub.domain import coupons, events
from hub.domain.coupon_state import CouponState
from hub.domain.coupons import Folded
from hub.domain.decisions import SOURCE
from hub.domain.envelope import Event, Verdict
from tests.event_maker import Shop, at

CODE = "CAKE-1"
SHOPS = {"web": Shop("web"), "mini": Shop("mini"), "store": Shop("store", "xuhui")}


class Story:
    """The events of one coupon. `by` is web, mini or store; `decided` ones are the hub's own."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def post(self, kind: str, minute: float, /, **data: Any) -> Event:
        shop = SHOPS[data.pop("by", "web")]
        is_decided = data.pop("decided", False)
        data = {"code": CODE, "event_id": f"{kind}-{len(self.events)}"} | data
        event = events.decode(shop.body(f"coupon.{kind}", minute, **data))
        if is_decided:
            event = msgspec.structs.replace(event, source=SOURCE)
        self.events.append(event)
        return event

    def issued(self, minute: float = 0, **more: Any) -> Event:
        return self.post("issued", minute, **({"kind": "exchange"} | more))

    def redeemed(self, minute: float, use: str, **more: Any) -> Event:
        return self.post("redeemed", minute, redemption_id=use, **more)

    def undone(self, minute: float, use: str, **more: Any) -> Event:
        return self.post("redemption_reversed", minute, redemption_id=use, **more)

    def reserved(self, minute: float, name: str, until: float, **more: Any) -> Event:
        expires_at = at(until).isoformat()
        return self.post("reserved", minute, reservation_id=name, expires_at=expires_at, **more)

    def fold(self) -> Folded:
        return coupons.fold(self.events)

    @property
    def state(self) -> CouponState:
        return self.fold().state

    def verdict(self, event: Event) -> Verdict:
        return self.fold().verdicts[event.key]

    def refusals(self) -> dict[str, str | None]:
        """By redemption id."""
        return {key[2]: one.refusal for key, one in self.state.redemptions.items()}
