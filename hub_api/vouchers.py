"""Redeeming at the counter what a platform sold: its own channel's platform is asked, by its pack.

Which call may be made, and that none is forgotten, is `hub.store.coupon_verifications`'s.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec.structs import replace

from hub.channels import vouchers
from hub.channels.expressions import Unmapped
from hub.channels.paths import MISSING
from hub.channels.vouchers import Told, Use
from hub.domain.coupon_verification import Call
from hub.errors import Refused
from hub.store import coupon_commands, coupon_verifications
from hub.store.coupon_commands import Counter
from hub.store.coupon_verifications import Voucher
from hub_api import platform_calls
from hub_api.channels import Known
from hub_api.details import DetailAwayError
from hub_api.limits import DETAIL_RETRY_AFTER_S
from hub_api.problems import Problem
from hub_api.resources import Resources

LIVE = "live"


class Platform:
    """The platform of a channel, called as the channel's pack says."""

    def __init__(self, held: Resources, known: Known) -> None:
        assert known.pack is not None
        self._pack, self._known, self._held = known.pack, known, held
        self._prepared: Any = MISSING

    async def call(self, call: Call, voucher: Voucher) -> Literal["done", "refused"]:
        """Make one call. What preparing gave is known to this object alone, so another one
        prepares again before it verifies: that changes nothing at the platform."""
        use = Use(
            voucher.code,
            voucher.verification_id,
            voucher.counter.shop,
            voucher.place,
            voucher.order_number,
        )
        if call not in self._pack.vouchers:
            return "done" if call == "prepare" else "refused"
        if call == "verify" and self._prepared is MISSING and "prepare" in self._pack.vouchers:
            prepared = await self._ask("prepare", use)
            if prepared.meaning == "refused":
                return "refused"
        told = await self._ask(call, replace(use, prepared=self._prepared))
        if told.meaning is None:
            raise TimeoutError  # it answered, and not what it did
        return told.meaning

    async def _ask(self, call: Call, use: Use) -> Told:
        try:
            body = await platform_calls.ask(
                self._held,
                self._known,
                lambda given: vouchers.call_of(self._pack, given, call, use, datetime.now(UTC)),
            )
        except (DetailAwayError, Unmapped) as error:
            raise TimeoutError from error
        told = vouchers.told(self._pack, self._known.given, call, use, body)
        if call == "prepare" and told.meaning == "done":
            self._prepared = told.result
        return told


async def platform_of(
    held: Resources, code: str, counter: Counter
) -> tuple[Platform, Counter] | None:
    """The platform that verifies this coupon, and where it sold it; None where the hub decides, or
    the channel that sold it has no way to ask."""

    async def read(connection: Any) -> Any:
        return await coupon_commands.standings(connection, counter, [code])

    found = await held.database.write(read)
    if not found or found[0].offer.kind != "platform":
        return None
    known = await held.channels.find(found[0].channel)
    if known is None or known.state != LIVE or known.pack is None or not known.pack.vouchers:
        return None
    # A use is named by where the voucher was sold, so the platform's own report is the same use.
    account = counter.account if counter.channel == found[0].channel else None
    return Platform(held, known), Counter(found[0].channel, found[0].shop, account)


async def reach(
    held: Resources, platform: Platform, voucher: Voucher, wanted: Literal["verified", "cancelled"]
) -> None:
    """Lead the use to what is wanted. Raises `Refused` if the platform does not do it, and a
    problem that says to ask again if it did not answer."""

    @asynccontextmanager
    async def connect() -> AsyncIterator[Any]:
        async with held.database.writing() as connection:
            yield connection

    state = await coupon_verifications.reach(connect, held.vault, platform, voucher, wanted)
    if state == wanted:
        return
    if state in ("unknown", "cancelling", "new", "prepared"):
        raise Problem("platform-silent", headers={"Retry-After": str(DETAIL_RETRY_AFTER_S)})
    raise Refused("platform_refused", "the platform that sold the coupon does not allow it")
