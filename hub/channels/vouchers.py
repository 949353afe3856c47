"""Calls about a platform's vouchers, as its pack says them: which call, and what its answer means.

When which call may be made is `hub.domain.coupon_verification`'s; who makes it has a network.
"""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from hub.channels import expressions, fetching
from hub.channels.expressions import Scope, Unmapped
from hub.channels.fetching import Call
from hub.channels.pack import Pack
from hub.channels.paths import MISSING
from hub.channels.requests import Given

Name = Literal["prepare", "verify", "query", "cancel"]


class Use(Struct, frozen=True):
    """One use of a voucher, in the shop of the channel that sold it. prepared: what preparing
    gave, if it was prepared."""

    code: str
    use: str
    shop: str
    place: str | None = None
    order: str | None = None
    prepared: Any = MISSING


class Told(Struct, frozen=True):
    """What the platform answered; meaning None: it is not known what it did. result: what the
    pack wants of it."""

    meaning: Literal["done", "refused"] | None
    result: Any = MISSING


def call_of(pack: Pack, given: Given, name: Name, use: Use, at: datetime) -> Call:
    """The call. Raises `Unmapped`."""
    return fetching.call_of(pack.vouchers[name], given, _scope(pack, given, use), at)


def told(pack: Pack, given: Given, name: Name, use: Use, body: bytes) -> Told:
    """What the answer to a call means."""
    call = pack.vouchers[name]
    try:
        scope = fetching.answer_in(_scope(pack, given, use), body)
        if all(when.holds(scope) for when in call.done):
            return Told("done", expressions.value_of(call.result, scope))
        if all(when.holds(scope) for when in call.refused):
            return Told("refused")
    except Unmapped:
        pass
    return Told(None)


def _scope(pack: Pack, given: Given, use: Use) -> Scope:
    named = {"place": use.place, "order": use.order, "prepared": use.prepared}
    roots = {name: value for name, value in named.items() if value not in (None, MISSING)}
    roots |= {"code": use.code, "use": use.use, "shop": use.shop}
    roots |= {"setting": dict(given.settings), "channel": given.channel}
    return Scope(roots, pack.ways(dict(given.skus)))
