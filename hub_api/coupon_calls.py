"""One command on a coupon over HTTP: its body read, done once in a transaction, answered with the
coupon after it. Which commands there are: `hub_api.routes.coupon_commands`."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Path, Request

from hub.domain import ids
from hub.domain.coupon_codes import normalise_code
from hub.domain.ids import Key
from hub.store import coupon_commands
from hub.store.commands import Answer
from hub.store.coupon_commands import Counter, CouponUnknown
from hub.store.coupon_verifications import Voucher
from hub.store.keys import ApiKey
from hub_api import commands, requests, vouchers
from hub_api.commands import IdempotencyKey
from hub_api.coupon_requests import Asking, Redemption, Reversal
from hub_api.keyring import Needs, channel_of
from hub_api.problems import Fault, Problem
from hub_api.resources import Held
from hub_api.routes.coupons import CouponHead, head_fields

Writer = Annotated[ApiKey, Depends(Needs("coupons:write"))]
Code = Annotated[str, Path(min_length=1, max_length=128)]
Work = Callable[[Any, Counter], Awaitable[Key]]
"""What is decided on a connection, for a counter: about which coupon."""
_Body = TypeVar("_Body", bound=Asking)


class CouponCall:
    """A request for a command."""

    def __init__(
        self, request: Request, key: Writer, held: Held, idempotency_key: IdempotencyKey
    ) -> None:
        self.held = held
        self._request = request
        self._key = key
        self._idempotency_key = idempotency_key

    async def read(self, model: type[_Body]) -> _Body:
        """What is asked for."""
        return await requests.read(self._request, self.held, model)

    async def decide(self, event_type: str, asking: Asking, data: dict[str, Any]) -> CouponHead:
        """Make this decision about the coupon whose code the data names."""

        async def work(connection: Any, counter: Counter) -> Key:
            vault = self.held.vault
            return await coupon_commands.decide(connection, vault, counter, event_type, data)

        return await self.run(asking, work)

    async def lead(
        self, code: str, asking: Redemption | Reversal, wanted: Literal["verified", "cancelled"]
    ) -> CouponHead | None:
        """Have the platform that sold the coupon verify a use, or cancel it; the coupon after that.
        None where the hub itself decides."""
        counter = counter_of(self._key, asking)
        self.held.keyring.refuse_guessing(self._key, "coupon")
        found = await vouchers.platform_of(self.held, code, counter)
        if found is None:
            return None
        asked = commands.asked(self._request, self._key, self._idempotency_key, asking)
        if (answer := await commands.recall(self.held, asked)) is not None:
            return CouponHead.model_validate(answer)
        platform, sold_at = found
        place = getattr(asking, "place", None) or asking.shop
        order = getattr(asking, "order_number", None)
        voucher = Voucher(sold_at, normalise_code(code), asking.redemption_id, place, order)
        with commands.refusals():
            await vouchers.reach(self.held, platform, voucher, wanted)

        async def done(_connection: Any, _counter: Counter) -> Key:
            return ids.coupon_id(voucher.code)

        return await self.run(asking, done)

    async def run(self, asking: Asking, work: Work) -> CouponHead:
        """Do the work once for what was sent; the coupon after it."""
        held, key = self.held, self._key
        held.keyring.refuse_guessing(key, "coupon")
        counter = counter_of(key, asking)

        async def decide(connection: Any) -> Answer:
            coupon_id = await work(connection, counter)
            return head_fields(await coupon_commands.head(connection, coupon_id))

        asked = commands.asked(self._request, key, self._idempotency_key, asking)
        try:
            return CouponHead.model_validate(await commands.run(held, asked, decide))
        except CouponUnknown:
            held.keyring.miss(key, "coupon")
            raise Problem("not-found") from None


Calling = Annotated[CouponCall, Depends(CouponCall)]


def counter_of(key: ApiKey, asking: Asking) -> Counter:
    """Where the request is made, if the key may act for that channel."""
    channel = asking.channel or key.channel
    if channel is None:
        raise Problem("invalid", [Fault("channel", "the key is of no channel: name one")])
    return Counter(channel_of(key, channel), asking.shop, getattr(asking, "account", None))


def named(code: str, asking: Asking, *left_out: str) -> dict[str, Any]:
    """The payload of a decision about this code: what is asked, without where and `left_out`."""
    without = {"channel", "shop", "account", *left_out}
    return {"code": normalise_code(code)} | asking.model_dump(exclude=without, exclude_none=True)
