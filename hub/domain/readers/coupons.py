"""Coupons: named by their code, whoever issued them."""

from collections.abc import Callable
from typing import Any

from hub.domain import coupon_data, ids
from hub.domain.coupon_codes import normalise_code
from hub.domain.envelope import BadEvent
from hub.domain.readers.base import Read, Reader


def _coupon(read: Callable[[Any], Any]) -> Reader:
    def reader(channel: str, shop: str, payload: Any) -> Read:
        code = normalise_code(payload.code)
        if not code:
            raise BadEvent("code_empty", "the code has no visible character", "$.data.code")
        return "coupon", code, ids.coupon_id(code), read(payload)

    return reader


READERS: dict[str, Reader] = {
    "coupon.issued": _coupon(coupon_data.read_issue),
    "coupon.claimed": _coupon(coupon_data.read_claim),
    "coupon.transferred": _coupon(coupon_data.read_transfer),
    "coupon.reserved": _coupon(coupon_data.read_hold),
    "coupon.released": _coupon(coupon_data.read_release),
    "coupon.redeemed": _coupon(coupon_data.read_use),
    "coupon.redemption_reversed": _coupon(coupon_data.read_undoing),
    "coupon.verification_called": _coupon(coupon_data.read_call),
    "coupon.verification_answered": _coupon(coupon_data.read_answer),
    "coupon.frozen": _coupon(coupon_data.read_step),
    "coupon.voided": _coupon(coupon_data.read_step),
    "coupon.expired": _coupon(coupon_data.read_step),
    "coupon.refunded": _coupon(coupon_data.read_refund),
}
DECIDED = frozenset({"coupon.verification_called", "coupon.verification_answered"})
