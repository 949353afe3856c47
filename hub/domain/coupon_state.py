"""A coupon as it stands: its uses, its reservations, and what may be done with it. Pure.

How events change it is in `hub.domain.coupons`.
"""

from datetime import datetime

from msgspec import Struct

from hub.domain.coupon_data import Contact, Hold, Issue, Refund, Use
from hub.domain.coupon_verification import Answer, Verified
from hub.domain.envelope import Event
from hub.domain.ids import Key

NO_USE_LEFT = "all uses were redeemed before"
UseKey = tuple[str, str, str]
"""(channel, shop, redemption or reservation id): two tills may well both have a 7."""


def use_key(event: Event) -> UseKey:
    """The key of the use that a redemption, its reversal or a call to a platform names."""
    return event.channel, event.shop, event.data.redemption_id


class Redemption(Struct, frozen=True):
    """A use and what became of it."""

    use: Use
    channel: str
    shop: str
    redeemed_at: datetime
    event_key: Key
    refusal: str | None = None
    reversed_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        return self.refusal is None and self.reversed_at is None


class Reservation(Struct, frozen=True):
    """A use held for a checkout. It ends redeemed, released or refused at once; or unsaid, when it
    expires."""

    hold: Hold
    channel: str
    shop: str
    reserved_at: datetime
    event_key: Key
    ended_at: datetime | None = None
    ending: str | None = None

    def is_live(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.hold.expires_at


class CouponState(Struct):
    """A coupon as its events say. promised: uses that the hub decided, told or not yet; reason:
    why it was frozen or ended; refund: by which it ended, if so; late_refund: the event that gave
    money back for one used up; answers: of the platform's calls, by the call, told or not yet."""

    promised: frozenset[UseKey] = frozenset()
    issue: Issue | None = None
    channel: str | None = None
    shop: str | None = None
    account: tuple[str, str] | None = None
    recipients: tuple[Contact, ...] = ()
    issued_at: datetime | None = None
    claimed_at: datetime | None = None
    transferred_at: datetime | None = None
    frozen_at: datetime | None = None
    ended_at: datetime | None = None
    ending: str | None = None
    reason: str | None = None
    refund: Refund | None = None
    late_refund: Key | None = None
    redemptions: dict[UseKey, Redemption] = {}
    answers: dict[str, Answer] = {}
    verifications: dict[UseKey, Verified] = {}
    reservations: dict[UseKey, Reservation] = {}

    @property
    def live_uses(self) -> int:
        return sum(1 for r in self.redemptions.values() if r.is_live)

    @property
    def uses_left(self) -> int:
        """Uses that are neither redeemed nor, though told later, given by the hub."""
        assert self.issue is not None
        ahead = sum(1 for key in self.promised if key not in self.redemptions)
        return self.issue.uses - self.live_uses - ahead

    def reserved_uses(self, at: datetime) -> int:
        return sum(1 for r in self.reservations.values() if r.is_live(at))

    def blocked(self) -> str | None:
        """Why nothing may be done with it, if so."""
        if self.ending is not None:
            return f"the coupon was {self.ending} before"
        return "the coupon was frozen at that time" if self.frozen_at is not None else None

    def out_of_time(self, at: datetime) -> str | None:
        """Why it could not be used then, if so. A platform's word on its own coupons stands."""
        issue = self.issue
        assert issue is not None
        if issue.kind == "platform":
            return None
        if issue.valid_from is not None and at < issue.valid_from:
            return "the coupon was not valid yet"
        if issue.usable_until is not None and at >= issue.usable_until:
            return "the coupon was valid no longer"
        return None

    def is_spent(self, token: str) -> bool:
        """Whether a one-time token brought about a use that stands."""
        return any(r.use.token == token and r.is_live for r in self.redemptions.values())

    @property
    def status(self) -> str:
        """How it ended, else frozen, redeemed (all uses), claimed or issued."""
        if self.ending is not None:
            return self.ending
        if self.frozen_at is not None:
            return "frozen"
        if self.issue is not None and self.live_uses >= self.issue.uses:
            return "redeemed"
        return "claimed" if self.account is not None else "issued"
