"""What a sold coupon owes and earns."""

from typing import Any

from hub.domain import coupon_worth
from tests.unit.domain.coupon_story import Story

SOLD: dict[str, Any] = {"paid_amount": "10.00", "face_value": "12.00", "currency": "CNY"}


def worth(story: Story) -> tuple[int, list[int]]:
    """(owed, revenue of each live use)"""
    state = story.state
    return coupon_worth.owed_minor(state), list(coupon_worth.earnings(state).values())


def test_a_cake_voucher_sold_is_money_owed_and_redeemed_is_revenue_once() -> None:
    story = Story()
    story.issued(**SOLD)
    assert worth(story) == (1000, [])
    story.redeemed(5, "u-1", amount="12.00", currency="CNY")
    story.redeemed(6, "u-2", amount="12.00", currency="CNY")
    assert worth(story) == (0, [1000])
    story.undone(7, "u-1")
    assert worth(story) == (1000, [])


def test_a_card_of_three_uses_earns_in_exact_shares() -> None:
    story = Story()
    story.issued(kind="times", uses=3, **SOLD)
    earned: list[int] = []
    for number in range(3):
        story.redeemed(5 + number, f"u-{number}")
        owed, earned = worth(story)
        assert owed + sum(earned) == 1000
    assert earned == [334, 333, 333]


def test_an_undone_use_of_a_card_gives_its_share_to_the_next() -> None:
    story = Story()
    story.issued(kind="times", uses=3, **SOLD)
    story.redeemed(5, "u-1")
    story.redeemed(6, "u-2")
    story.undone(7, "u-1")
    assert worth(story) == (666, [334])


def test_an_expired_voucher_is_owed_where_the_terms_say_refund_and_lapses_otherwise() -> None:
    for policy, owed in (("refund", 1000), ("lapse", 0)):
        story = Story()
        story.issued(**SOLD, terms={"on_expiry": policy})
        story.post("expired", 5)
        assert worth(story) == (owed, [])
        story.post("refunded", 6)
        assert worth(story) == (0, [])


def test_a_refunded_voucher_owes_nothing() -> None:
    story = Story()
    story.issued(**SOLD)
    story.post("refunded", 5)
    assert worth(story) == (0, [])


def test_of_a_card_partly_used_the_uses_left_are_refunded_exactly() -> None:
    story = Story()
    story.issued(kind="times", uses=3, **SOLD)
    story.redeemed(5, "u-1")
    story.post("refunded", 6)
    assert worth(story) == (0, [334])
    assert coupon_worth.refunded_minor(story.state) == 666
    # A use before the refund that is told late was no use left; one that is undone goes back too.
    story.redeemed(5.5, "late")
    assert coupon_worth.refunded_minor(story.state) == 333
    story.undone(8, "u-1")
    assert worth(story) == (0, [334])
    assert coupon_worth.refunded_minor(story.state) == 666


def test_a_refund_applied_for_in_time_is_owed_though_the_validity_runs_out() -> None:
    story = Story()
    story.issued(**SOLD)
    story.post("frozen", 4)
    story.post("expired", 5)
    assert worth(story) == (1000, [])
    story.post("refunded", 6)
    assert worth(story) == (0, [])


def test_a_discount_and_a_platforms_coupon_owe_nothing() -> None:
    for kind in ("discount", "platform"):
        story = Story()
        story.issued(kind=kind, **SOLD)
        story.redeemed(5, "u-1")
        assert worth(story) == (0, [0])
