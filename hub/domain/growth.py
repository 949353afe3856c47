"""Growth (成长值): what raises a member's tier, a ledger apart from points. Pure.

Nobody spends growth. It is earned by paying, given back by refunds, and granted by channels for
what is no sale (a review, a sign-in). What it comes to in a tier: `hub.domain.tiers`.
"""

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from hub.domain.ids import Key


class Gain(NamedTuple):
    """What an order brings its buyer: growth, and the net amount paid in minor units."""

    growth: int = 0
    amount_minor: int = 0


NOTHING = Gain()


class Entry(Struct, gc=False, frozen=True):
    """One line of the ledger. amount_minor: what was paid (> 0) or refunded (< 0) with it, in
    `currency`; both None where no money was involved."""

    entry_id: Key
    profile_id: Key
    kind: str
    growth: int
    amount_minor: int | None
    currency: str | None
    order_id: Key | None
    occurred_at: datetime
    event_key: Key
    rule_version: str
