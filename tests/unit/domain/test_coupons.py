"""The fold of a coupon: whose it is, its uses, refusals, reversals, reservations, endings."""

from itertools import permutations

import pytest

from hub.domain import coupons
from hub.domain.coupon_codes import make_code
from hub.domain.coupon_state import NO_USE_LEFT
from hub.domain.envelope import Outcome
from tests.event_maker import at
from tests.unit.domain.coupon_story import Story


@pytest.fixture
def story() -> Story:
    return Story()


def test_the_same_code_redeemed_in_the_store_and_online_in_the_same_second_counts_once(
    story: Story,
) -> None:
    story.issued()
    story.redeemed(5, "u-1", by="store")
    story.redeemed(5, "u-2")
    assert set(story.refusals().values()) == {None, NO_USE_LEFT}
    assert (story.state.status, story.state.live_uses) == ("redeemed", 1)


def test_a_store_redeems_offline_and_syncs_late_is_accepted_by_time_of_redemption(
    story: Story,
) -> None:
    story.issued()
    story.redeemed(6, "online")
    story.redeemed(5, "offline", by="store")
    assert story.refusals() == {"offline": None, "online": NO_USE_LEFT}


def test_what_the_hub_decided_keeps_its_use_when_an_earlier_one_turns_up(story: Story) -> None:
    story.issued()
    story.redeemed(6, "online", decided=True)
    story.redeemed(5, "offline", by="store")
    assert story.refusals() == {"offline": NO_USE_LEFT, "online": None}


def test_an_ending_that_turns_up_late_does_not_take_back_what_the_hub_decided(
    story: Story,
) -> None:
    story.issued()
    story.redeemed(6, "online", decided=True)
    voided = story.post("voided", 5)
    assert story.verdict(voided).reason == NO_USE_LEFT
    assert story.refusals() == {"online": None}


def test_a_decision_that_was_undone_promises_nothing(story: Story) -> None:
    story.issued()
    story.redeemed(6, "online", decided=True)
    story.undone(7, "online", decided=True)
    story.redeemed(5, "offline", by="store")
    assert story.state.live_uses == 1
    assert story.refusals()["offline"] is None


def test_two_step_payment_calls_complete_twice_are_one_use(story: Story) -> None:
    story.issued(uses=2)
    story.reserved(4, "pay-1", until=20)
    story.redeemed(5, "u-1", reservation_id="pay-1")
    again = story.redeemed(7, "u-1", reservation_id="pay-1")
    assert story.verdict(again).outcome is Outcome.IGNORED
    assert story.state.live_uses == 1
    assert [one.ending for one in story.state.reservations.values()] == ["redeemed"]


def test_the_same_redemption_number_of_two_tills_is_two_uses(story: Story) -> None:
    story.issued(uses=2)
    story.redeemed(5, "7", by="store")
    story.redeemed(6, "7", by="mini")
    assert story.state.live_uses == 2


def test_a_card_of_three_uses_takes_three(story: Story) -> None:
    story.issued(kind="times", uses=3)
    for number in range(4):
        story.redeemed(5 + number, f"u-{number}")
    assert list(story.refusals().values()) == [None, None, None, NO_USE_LEFT]


def test_an_undone_redemption_makes_the_voucher_usable_again(story: Story) -> None:
    story.issued()
    story.redeemed(5, "u-1")
    story.undone(6, "u-1")
    story.redeemed(7, "u-2")
    assert story.refusals() == {"u-1": None, "u-2": None}
    assert story.state.live_uses == 1


def test_an_undone_redemption_is_usable_again_only_within_the_time_its_issuer_allows(
    story: Story,
) -> None:
    story.issued(terms={"undo_minutes": 30})
    story.redeemed(5, "u-1")
    late = story.undone(35.5, "u-1")
    assert story.verdict(late).outcome is Outcome.IGNORED
    assert story.state.status == "redeemed"
    story.undone(35, "u-1")
    assert story.state.status == "issued"


def test_a_platforms_coupon_can_be_undone_for_an_hour(story: Story) -> None:
    story.issued(kind="platform")
    story.redeemed(5, "u-1")
    late = story.undone(66, "u-1")
    assert story.verdict(late).outcome is Outcome.IGNORED
    story.undone(65, "u-1")
    assert story.state.live_uses == 0


def test_another_shop_may_undo_a_redemption_if_there_is_only_one_of_that_name(
    story: Story,
) -> None:
    story.issued(uses=2)
    story.redeemed(5, "u-1", by="store")
    undone = story.undone(6, "u-1", by="mini")
    assert story.state.live_uses == 0
    story.redeemed(5, "u-1", by="web")
    assert story.verdict(undone).waits_for == "coupon.redeemed"


def test_a_reversal_of_a_use_nobody_reported_is_parked(story: Story) -> None:
    story.issued()
    assert story.verdict(story.undone(6, "u-1")).waits_for == "coupon.redeemed"


def test_a_reversal_whose_clock_runs_before_the_redemption_frees_the_use(story: Story) -> None:
    story.issued()
    story.undone(4, "u-1")
    story.redeemed(5, "u-1")
    story.redeemed(6, "u-2")
    assert story.refusals() == {"u-1": None, "u-2": None}


def test_a_redemption_before_its_issue_is_parked(story: Story) -> None:
    redeemed = story.redeemed(5, "u-1")
    assert story.verdict(redeemed).waits_for == "coupon.issued"
    story.issued(6)
    assert story.verdict(redeemed).outcome is Outcome.APPLIED


def test_validity_is_judged_at_the_time_of_redemption(story: Story) -> None:
    story.issued(uses=9, valid_from=at(10).isoformat(), valid_until=at(20).isoformat())
    for minute in (9, 10, 19, 20):
        story.redeemed(minute, f"at-{minute}")
    assert story.refusals() == {
        "at-9": "the coupon was not valid yet",
        "at-10": None,
        "at-19": None,
        "at-20": "the coupon was valid no longer",
    }


def test_a_platform_judges_the_validity_of_its_coupons_itself(story: Story) -> None:
    story.issued(kind="platform", valid_until=at(20).isoformat())
    story.redeemed(25, "u-1")
    assert story.refusals() == {"u-1": None}


@pytest.mark.parametrize("ending", ["voided", "expired", "refunded"])
def test_a_coupon_that_ended_refuses_uses(story: Story, ending: str) -> None:
    story.issued()
    story.post(ending, 5, reason="why")
    story.redeemed(6, "u-1")
    assert story.refusals() == {"u-1": f"the coupon was {ending} before"}
    assert (story.state.status, story.state.reason) == (ending, "why")


def test_expiry_extends_the_validity_where_the_terms_say_so(story: Story) -> None:
    until = at(20).isoformat()
    story.issued(uses=2, valid_until=until, terms={"on_expiry": "extend", "extension_days": 30})
    expired = story.post("expired", 20)
    story.redeemed(1_000, "u-1")
    assert story.verdict(expired).outcome is Outcome.IGNORED
    assert story.refusals() == {"u-1": None}
    story.post("expired", 20 + 30 * 24 * 60)
    assert story.state.status == "expired"


def test_a_use_reserved_before_midnight_is_paid_after_it(story: Story) -> None:
    story.issued(valid_until=at(20).isoformat())
    story.reserved(18, "pay-1", until=30)
    expired = story.post("expired", 20)
    story.redeemed(22, "u-1", reservation_id="pay-1")
    assert story.verdict(expired).reason == "its use is reserved for a checkout"
    assert story.refusals() == {"u-1": None}


# Refunds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("frozen", "redeemed"), [(5, 5.001), (5.001, 5), (5, 5)])
def test_a_refund_applied_for_and_a_redemption_in_the_same_second_exactly_one_wins(
    story: Story, frozen: float, redeemed: float
) -> None:
    story.issued()
    asked = story.post("frozen", frozen, reason="refund applied for")
    story.redeemed(redeemed, "u-1", by="store")
    done = story.post("refunded", 9)
    is_refunded = story.state.status == "refunded"
    assert is_refunded == (frozen < redeemed)
    assert is_refunded == (story.verdict(asked).outcome is Outcome.APPLIED)
    assert is_refunded == (story.verdict(done).outcome is Outcome.APPLIED)
    assert is_refunded == (story.refusals()["u-1"] is not None)
    assert story.state.live_uses == (0 if is_refunded else 1)


def test_refund_of_a_redeemed_voucher_is_refused(story: Story) -> None:
    story.issued()
    story.redeemed(5, "u-1")
    refunded = story.post("refunded", 6)
    assert story.verdict(refunded).outcome is Outcome.IGNORED
    assert story.state.status == "redeemed"
    assert story.state.late_refund == refunded.key


def test_a_refund_that_came_too_late_takes_effect_once_the_redemption_is_undone(
    story: Story,
) -> None:
    story.issued()
    story.redeemed(5, "u-1")
    story.post("refunded", 6)
    story.undone(7, "u-1")
    assert (story.state.status, story.state.late_refund) == ("refunded", None)


def test_a_refund_that_was_turned_down_lets_the_coupon_go(story: Story) -> None:
    story.issued()
    story.post("frozen", 5)
    story.redeemed(6, "u-1")
    story.post("released", 7)
    story.redeemed(8, "u-2")
    assert story.refusals() == {"u-1": "the coupon was frozen at that time", "u-2": None}


def test_a_refund_applied_for_in_time_is_paid_after_expiry(story: Story) -> None:
    story.issued(valid_until=at(20).isoformat())
    story.post("frozen", 19)
    story.post("expired", 20)
    story.post("refunded", 30)
    assert story.state.status == "refunded"


@pytest.mark.parametrize(("policy", "status"), [("refund", "refunded"), ("lapse", "expired")])
def test_an_expired_voucher_is_refunded_where_the_terms_say_so(
    story: Story, policy: str, status: str
) -> None:
    story.issued(terms={"on_expiry": policy})
    story.post("expired", 20)
    story.post("refunded", 30)
    assert story.state.status == status


def test_transferred_to_a_friend_then_the_buyer_refunds_is_void_with_the_reason_kept(
    story: Story,
) -> None:
    story.issued(account="buyer")
    story.post("transferred", 3, account="friend")
    story.post("refunded", 5, reason="changed my mind")
    story.redeemed(6, "u-1", account="friend", by="mini")
    assert story.state.account == ("web", "friend")
    assert story.state.status == "voided"
    assert story.state.reason == "the buyer was refunded after it was given away: changed my mind"
    assert story.refusals() == {"u-1": "the coupon was voided before"}


def test_the_friend_redeemed_before_the_buyers_refund_so_the_refund_is_refused(
    story: Story,
) -> None:
    story.issued(account="buyer")
    story.post("transferred", 3, account="friend")
    story.redeemed(4, "u-1", by="mini")
    refunded = story.post("refunded", 5)
    assert story.verdict(refunded).outcome is Outcome.IGNORED
    assert story.state.late_refund is not None


# Whose it is --------------------------------------------------------------------------------


def test_the_first_to_claim_a_coupon_keeps_it(story: Story) -> None:
    story.issued()
    story.post("claimed", 5, account="b")
    story.post("claimed", 3, account="a", by="store")
    assert story.state.account == ("store", "a")


def test_a_coupon_for_a_recipient_is_claimed_by_the_hubs_proof_alone(story: Story) -> None:
    story.issued(recipient_phone="139 1234 5678")
    typed = story.post("claimed", 3, account="somebody", by="mini")
    story.post("claimed", 5, account="m-1", by="mini", decided=True, proof="phone")
    assert story.verdict(typed).outcome is Outcome.IGNORED
    assert story.state.account == ("mini", "m-1")


def test_a_recipient_that_identifies_nobody_binds_nothing(story: Story) -> None:
    story.issued(recipient_phone="00000000000", recipient_email="none")
    story.post("claimed", 3, account="a")
    assert story.state.account == ("web", "a")


def test_a_gift_to_a_phone_waits_for_its_proof(story: Story) -> None:
    story.issued(account="buyer")
    story.post("transferred", 3, recipient_phone="13912345678")
    assert story.state.account is None
    assert [one.value for one in story.state.recipients] == ["+8613912345678"]


@pytest.mark.parametrize("before", ["frozen", "voided"])
def test_what_is_frozen_or_void_is_not_given_away(story: Story, before: str) -> None:
    story.issued(account="buyer")
    story.post(before, 2)
    given = story.post("transferred", 3, account="friend")
    assert story.verdict(given).outcome is Outcome.IGNORED
    assert story.state.account == ("web", "buyer")


def test_a_code_of_the_hubs_form_is_issued_by_nobody_else(story: Story) -> None:
    code = make_code(99)
    foreign = story.issued(code=code)
    assert story.verdict(foreign).outcome is Outcome.PARKED
    story.issued(code=code, decided=True, kind="times")
    assert story.verdict(foreign).outcome is Outcome.IGNORED
    assert story.state.issue is not None
    assert story.state.issue.kind == "times"


# Reservations -------------------------------------------------------------------------------


def test_a_reserved_use_is_not_reserved_again_until_it_is_released_or_expires(
    story: Story,
) -> None:
    story.issued()
    story.reserved(1, "a", until=10)
    second = story.reserved(2, "b", until=10)
    assert story.verdict(second).reason == "no use is left to reserve"
    story.post("released", 3, reservation_id="a")
    third = story.reserved(4, "c", until=10)
    fourth = story.reserved(10, "d", until=20)
    assert story.verdict(third).outcome is Outcome.APPLIED
    assert story.verdict(fourth).outcome is Outcome.APPLIED


def test_a_reservation_that_the_hub_redeems_stays_one(story: Story) -> None:
    story.issued()
    story.reserved(1, "a", until=10, decided=True)
    story.redeemed(2, "u-1", reservation_id="a", decided=True)
    assert [one.ending for one in story.state.reservations.values()] == ["redeemed"]


def test_a_reservation_does_not_undo_what_a_store_did(story: Story) -> None:
    story.issued()
    story.reserved(1, "a", until=10)
    story.redeemed(2, "offline", by="store")
    assert story.refusals() == {"offline": None}


def test_a_release_of_a_reservation_nobody_made_is_parked(story: Story) -> None:
    story.issued()
    released = story.post("released", 3, reservation_id="a")
    assert story.verdict(released).waits_for == "coupon.reserved"


def test_a_one_time_token_is_one_use_even_of_a_card_of_many(story: Story) -> None:
    story.issued(kind="times", uses=5)
    story.redeemed(5, "a", by="store", token="t-1")
    story.redeemed(6, "b", by="mini", token="t-1")
    assert story.refusals() == {"a": None, "b": "this one-time token was used before"}


def test_every_permutation_of_a_coupons_events_ends_equal(story: Story) -> None:
    story.issued(uses=2, recipient_phone="13912345678")
    story.post("claimed", 1, account="a", decided=True)
    story.redeemed(2, "u-1")
    story.redeemed(3, "u-2", decided=True)
    story.undone(4, "u-1", by="store")
    story.post("transferred", 4, account="b")
    story.post("refunded", 5)
    wanted = story.fold()
    assert all(coupons.fold(list(arrived)) == wanted for arrived in permutations(story.events))
