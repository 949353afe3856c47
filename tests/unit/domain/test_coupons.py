"""The fold of a coupon: uses, refusals, reversals, endings."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import coupons
from hub.domain.coupons import Folded
from hub.domain.envelope import Event, Outcome
from tests.event_maker import Shop, at

CODE = {"code": "CAKE-1"}


class Story:
    """The events of one coupon."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._web, self._store = Shop("web"), Shop("store")

    def post(self, kind: str, minute: float, /, **data: Any) -> Event:
        shop = self._store if data.pop("in_store", False) else self._web
        data.setdefault("event_id", f"{kind}-{len(self.events)}")
        self.events.append(shop.event(f"coupon.{kind}", minute, **(CODE | data)))
        return self.events[-1]

    def issued(self, minute: float = 0, **more: Any) -> Event:
        return self.post("issued", minute, **({"kind": "exchange"} | more))

    def redeemed(self, minute: float, use: str, **more: Any) -> Event:
        return self.post("redeemed", minute, redemption_id=use, **more)

    def fold(self) -> Folded:
        return coupons.fold(self.events)


@pytest.fixture
def story() -> Story:
    return Story()


def refusals(folded: Folded) -> dict[str, str | None]:
    return {use: one.refusal for use, one in folded.state.redemptions.items()}


def test_look_alikes_of_a_code_are_one_code() -> None:
    for spelling in ("CAKE-1", "cake-1", " Cake-1 ", "ＣＡＫＥ－１", "ca\u3000ke-１"):
        assert coupons.normalise_code(spelling) == "CAKE-1"


def test_the_same_code_redeemed_in_store_and_online_counts_once(story: Story) -> None:
    story.issued()
    story.redeemed(5, "u-1", in_store=True)
    story.redeemed(6, "u-2")
    folded = story.fold()
    assert refusals(folded) == {"u-1": None, "u-2": "all uses were redeemed before"}
    assert (folded.state.status, folded.state.live_uses) == ("redeemed", 1)


def test_a_store_that_syncs_late_is_judged_by_the_time_of_redemption(story: Story) -> None:
    story.issued()
    story.redeemed(6, "online")
    story.redeemed(5, "offline", in_store=True)  # synced two hours later
    assert refusals(story.fold()) == {"offline": None, "online": "all uses were redeemed before"}


def test_the_same_redemption_reported_twice_is_one_use(story: Story) -> None:
    story.issued(uses=2)
    story.redeemed(5, "u-1")
    again = story.redeemed(7, "u-1")
    folded = story.fold()
    assert folded.verdicts[again.key].outcome is Outcome.IGNORED
    assert folded.state.live_uses == 1


def test_a_coupon_of_three_uses_takes_three(story: Story) -> None:
    story.issued(uses=3)
    for number in range(4):
        story.redeemed(5 + number, f"u-{number}")
    folded = story.fold()
    assert [refusal is None for refusal in refusals(folded).values()] == [True, True, True, False]


def test_a_reversal_frees_the_use(story: Story) -> None:
    story.issued()
    story.redeemed(5, "u-1")
    story.post("redemption_reversed", 6, redemption_id="u-1")
    story.redeemed(7, "u-2")
    folded = story.fold()
    assert refusals(folded) == {"u-1": None, "u-2": None}
    assert folded.state.redemptions["u-1"].reversed_at == at(6)
    assert folded.state.live_uses == 1


def test_a_reversal_of_a_use_nobody_reported_is_parked(story: Story) -> None:
    story.issued()
    reversed_ = story.post("redemption_reversed", 6, redemption_id="u-1")
    assert story.fold().verdicts[reversed_.key].waits_for == "coupon.redeemed"


def test_a_reversal_whose_clock_runs_before_the_redemption_frees_the_use(story: Story) -> None:
    story.issued()
    story.post("redemption_reversed", 4, redemption_id="u-1")
    story.redeemed(5, "u-1")
    story.redeemed(6, "u-2")
    assert refusals(story.fold()) == {"u-1": None, "u-2": None}


def test_a_redemption_before_its_issue_is_parked(story: Story) -> None:
    redeemed = story.redeemed(5, "u-1")
    folded = story.fold()
    assert folded.verdicts[redeemed.key].waits_for == "coupon.issued"
    story.issued(6)
    assert story.fold().verdicts[redeemed.key].outcome is Outcome.APPLIED


@pytest.mark.parametrize("ending", ["voided", "expired", "refunded"])
def test_a_coupon_that_ended_refuses_uses(story: Story, ending: str) -> None:
    story.issued()
    story.post(ending, 5)
    story.redeemed(6, "u-1")
    folded = story.fold()
    assert refusals(folded) == {"u-1": f"the coupon was {ending} before"}
    assert folded.state.status == ending


def test_a_redeemed_voucher_is_not_refunded(story: Story) -> None:
    story.issued()
    story.redeemed(5, "u-1")
    refunded = story.post("refunded", 6)
    folded = story.fold()
    assert folded.verdicts[refunded.key].outcome is Outcome.IGNORED
    assert folded.state.status == "redeemed"


def test_the_first_to_claim_a_coupon_keeps_it(story: Story) -> None:
    story.issued()
    story.post("claimed", 5, account="b")
    story.post("claimed", 3, account="a", in_store=True)
    assert story.fold().state.account == ("store", "a")


def test_every_permutation_of_a_coupons_events_ends_equal(story: Story) -> None:
    story.issued(uses=2)
    story.post("claimed", 1, account="a")
    story.redeemed(2, "u-1")
    story.redeemed(3, "u-2")
    story.post("redemption_reversed", 4, redemption_id="u-1")
    story.post("voided", 5)
    wanted = story.fold()
    assert all(coupons.fold(list(arrived)) == wanted for arrived in permutations(story.events))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["redeem", "reverse", "void", "claim"]),
        st.integers(1, 9),
        st.integers(1, 3),
    ),
    max_size=10,
)


@given(steps=STEPS, uses=st.integers(1, 2))
def test_no_coupon_is_ever_used_more_often_than_it_may(
    steps: list[tuple[str, int, int]], uses: int
) -> None:
    """Against a till that keeps a list of who holds a use."""
    story = Story()
    story.issued(uses=uses)
    for kind, minute, number in steps:
        if kind == "redeem":
            story.redeemed(minute, f"u-{number}")
        elif kind == "reverse":
            story.post("redemption_reversed", minute, redemption_id=f"u-{number}")
        elif kind == "claim":
            story.post("claimed", minute, account=f"a-{number}")
        else:
            story.post("voided", minute)
    folded = story.fold()

    seen: set[str] = set()
    undone: set[str] = set()
    holders: set[str] = set()
    is_void = False
    for event in sorted(
        story.events[1:], key=lambda e: (e.occurred_at, coupons.RANKS[e.type], e.key)
    ):
        if event.type == "coupon.redeemed":
            use = event.data.redemption_id
            if use not in seen | undone and not is_void and len(holders) < uses:
                holders.add(use)
            seen.add(use)
        elif event.type == "coupon.redemption_reversed":
            # Undone before it was reported, by another clock: it never holds a use.
            holders.discard(event.data)
            undone.add(event.data)
        elif event.type == "coupon.voided" and len(holders) < uses:
            is_void = True
    assert {u for u, one in folded.state.redemptions.items() if one.is_live} == holders
    assert folded.state.live_uses <= uses
    assert (folded.state.ending == "voided") == is_void
