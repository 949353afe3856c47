"""Quotes, tokens, rights, and the way of a platform's voucher."""

from datetime import timedelta

import pytest

from hub.domain import coupon_quotes, coupon_rights, coupon_tokens
from hub.domain.coupon_data import Terms
from hub.domain.coupon_quotes import Offer
from hub.domain.coupon_rights import Rights
from hub.domain.coupon_tokens import CLOCK_SKEW_S, Token, TokenRefused
from hub.domain.coupon_verification import NotNow, Verification, answered, may_call
from tests.event_maker import at

KEY = b"k" * 32
PUBLIC = coupon_tokens.public_key(KEY)


def offer(code: str = "A", template: str | None = "t", kind: str = "discount", **terms) -> Offer:
    return Offer(code, kind, template, 2_000, "CNY", Terms(**terms))


def obstacles(one: Offer, *others: Offer, amount: int = 10_000) -> tuple[str, ...]:
    return coupon_quotes.quote(one, amount, "CNY", others).obstacles


def test_a_threshold_is_reached_at_its_amount_and_not_a_fen_below() -> None:
    assert obstacles(offer(minimum_minor=10_000)) == ()
    assert obstacles(offer(minimum_minor=10_001)) == ("minimum_not_reached",)


def test_a_coupon_of_another_currency_is_worth_nothing() -> None:
    assert coupon_quotes.quote(offer(), 10_000, "JPY").obstacles == ("currency_differs",)


def test_coupons_stack_only_where_both_allow_it() -> None:
    alone, many = offer("A", "t"), offer("B", "u", stacking="any")
    other = offer("C", "v", stacking="other_templates")
    same = offer("D", "v", stacking="other_templates")
    assert obstacles(many, alone) == obstacles(alone, many) == ("not_beside_the_others",)
    assert obstacles(many, other) == obstacles(other, many) == ()
    assert obstacles(other, same) == ("not_beside_the_others",)


def test_a_voucher_pays_and_stands_beside_any_discount() -> None:
    voucher = offer("V", kind="exchange")
    assert obstacles(voucher, offer()) == obstacles(offer(), voucher) == ()
    assert coupon_quotes.quote(voucher, 1_500, "CNY").amount_minor == 1_500
    assert coupon_quotes.quote(voucher, 9_500, "CNY").amount_minor == 2_000


@pytest.mark.parametrize(
    ("rights", "claim", "use"),
    [
        (Rights(False, False, False, None), None, None),
        (Rights(False, False, True, None), "proof_missing", "proof_missing"),
        (Rights(False, False, True, "phone"), None, None),
        (Rights(True, False, True, "phone"), "held_already", "held_by_another"),
        (Rights(True, True, False, None), "held_already", None),
    ],
)
def test_a_recipients_coupon_is_usable_after_proof(
    rights: Rights, claim: str | None, use: str | None
) -> None:
    refused = (
        coupon_rights.refuse_claim(rights),
        coupon_rights.refuse_use(rights, names_account=True),
    )
    assert [one and one[0] for one in refused] == [claim, use]


def test_a_token_is_checked_without_a_network() -> None:
    token = Token("CAKE-1", "t-1", int(at(5).timestamp()), "xuhui")
    shown = coupon_tokens.sign(token, KEY)
    assert coupon_tokens.verify(shown, PUBLIC, "xuhui", at(5)) == token
    late = at(5) + timedelta(seconds=CLOCK_SKEW_S + 1)
    for changed, place, now in (
        (shown, "pudong", at(4)),
        (shown, None, at(4)),
        (shown, "xuhui", late),
        (shown.replace("HT1", "HT2"), "xuhui", at(4)),
        (shown[:-2] + "AA", "xuhui", at(4)),
        (shown[:6] + "x" + shown[7:], "xuhui", at(4)),
        ("", "xuhui", at(4)),
        ("a.b.c", "xuhui", at(4)),
        ("ä.b.c", "xuhui", at(4)),
        ("x" * 2_000, "xuhui", at(4)),
        (coupon_tokens.sign(token, b"x" * 32), "xuhui", at(4)),
    ):
        with pytest.raises(TokenRefused):
            coupon_tokens.verify(changed, PUBLIC, place, now)


def test_the_platforms_verification_times_out_so_query_first_never_a_second_verify() -> None:
    prepared = answered(Verification(), "prepare", "done", at(0))
    unknown = answered(prepared, "verify", "timed_out", at(1))
    assert not may_call(unknown, "verify", at(2))
    with pytest.raises(NotNow):
        answered(unknown, "verify", "done", at(2))
    assert answered(unknown, "query", "timed_out", at(3)) == unknown
    verified = answered(unknown, "query", "done", at(4))
    assert (verified.state, verified.verified_at) == ("verified", at(1))
    assert not may_call(verified, "verify", at(5))
    unused = answered(unknown, "query", "refused", at(4))
    assert may_call(unused, "verify", at(5))


def test_a_platforms_voucher_is_cancelled_within_its_time_and_asked_about_if_unanswered() -> None:
    verified = answered(Verification("prepared"), "verify", "done", at(0))
    assert may_call(verified, "cancel", at(60))
    assert not may_call(verified, "cancel", at(60.1))
    waiting = answered(verified, "cancel", "timed_out", at(30))
    assert not may_call(waiting, "cancel", at(31))
    assert answered(waiting, "query", "done", at(32)).state == "verified"
    assert answered(waiting, "query", "refused", at(32)).state == "cancelled"
