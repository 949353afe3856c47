"""What needs a person about a coupon, as cases that open and close with its state.

Not here: coupons of which a person may use one (`hub.store.coupon_persons`).
"""

from collections.abc import Iterator, Mapping

from hub.domain import coupon_worth, ids
from hub.domain.coupon_state import CouponState, UseKey
from hub.domain.coupons import Folded
from hub.domain.ids import Key, derived
from hub.store.cases import Case

Found = Iterator[tuple[Key, Case]]
_UNANSWERED = ("unknown", "cancelling")


def wanted(folds: Mapping[Key, Folded]) -> dict[Key, Case]:
    """The cases that the states of these coupons call for."""
    return dict(
        one
        for key, folded in folds.items()
        if folded.state.issue is not None
        for told in (_refused, _refunded_late, _owed, _differing, _unanswered)
        for one in told(key, folded.state)
    )


def _case(kind: str, key: Key, detail: dict[str, object]) -> Case:
    return Case(kind, "coupon", ids.text(key), detail)


def _refused(key: Key, state: CouponState) -> Found:
    """Goods were given for a coupon that does not pay for them."""
    for one in state.redemptions.values():
        if one.refusal is None or one.reversed_at is not None:
            continue
        detail: dict[str, object] = {
            "event_key": ids.text(one.event_key),
            "channel": one.channel,
            "shop": one.shop,
            "place": one.use.place,
            "redemption_id": one.use.redemption_id,
            "order_number": one.use.order_number,
            "reason": one.refusal,
        }
        case_id = derived("coupon-refused", key, one.event_key)
        yield case_id, _case("coupon_refused", key, detail)


def _refunded_late(key: Key, state: CouponState) -> Found:
    if state.late_refund is not None:
        detail: dict[str, object] = {"event_key": ids.text(state.late_refund)}
        yield derived("coupon-refund", key), _case("coupon_refunded_late", key, detail)


def _owed(key: Key, state: CouponState) -> Found:
    """Money is owed for a coupon that has expired."""
    owed_minor = coupon_worth.owed_minor(state)
    if state.issue is not None and state.ending == "expired" and owed_minor > 0:
        detail: dict[str, object] = {"owed_minor": owed_minor, "currency": state.issue.currency}
        yield derived("coupon-owed", key), _case("coupon_refund_owed", key, detail)


def _differing(key: Key, state: CouponState) -> Found:
    """Another amount was paid back than was due."""
    said, due_minor = state.refund, coupon_worth.refunded_minor(state)
    if said is None or said.amount_minor is None or state.issue is None:
        return
    if (said.amount_minor, said.currency) == (due_minor, state.issue.currency):
        return
    detail: dict[str, object] = {
        "due_minor": due_minor,
        "refunded_minor": said.amount_minor,
        "currency": said.currency,
    }
    yield derived("coupon-differs", key), _case("coupon_refund_differs", key, detail)


def _unanswered(key: Key, state: CouponState) -> Found:
    """A platform was called and it is not known what it did: goods may have been given."""
    for name, told in state.verifications.items():
        # While its answer may yet come nobody needs to look.
        if told.is_answered and told.verification.state in _UNANSWERED:
            case_id = derived("coupon-unanswered", key, _bytes(name))
            channel, shop, use = name
            detail: dict[str, object] = {
                "channel": channel,
                "shop": shop,
                "verification_id": use,
                "state": told.verification.state,
            }
            yield case_id, _case("coupon_unanswered", key, detail)


def _bytes(name: UseKey) -> bytes:
    return "\0".join(name).encode()
