"""Which level a member has: reached, reviewed, lost, bought, and the gifts for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.domain import tier_schemes, tiers
from hub.domain.documents import BadDocument, Version
from hub.domain.ids import Key
from hub.domain.tier_schemes import Scheme
from hub.domain.tier_standing import Award, Fact, Membership, Standing

START = datetime(2026, 3, 1, tzinfo=UTC)
LEVELS: list[dict[str, Any]] = [
    {"name": "silver", "threshold": 100},
    {"name": "gold", "threshold": 300, "gift": {"template": "cake", "valid_days": 30}},
]
YEAR = {"window_days": 365, "validity_days": 365}


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def scheme(**more: Any) -> Scheme:
    return tier_schemes.read({"basis": "growth", "levels": LEVELS, "zone": "UTC"} | more)


def fact(on: float, growth: int, order: int | None = None) -> Fact:
    key = bytes([abs(growth) % 251, int(on * 2) % 251]) + bytes(14)
    order_id: Key | None = bytes([order]) * 16 if order is not None else None
    return Fact(day(on), key, growth, growth * 100, "CNY", order_id)


def tell(facts: list[Fact], until: float, *bought: Membership, **more: Any) -> Standing:
    versions = [Version(1, day(0), scheme(**more))]
    return tiers.tell([f for f in facts if f.at <= day(until)], bought, versions, day(until))


def story(standing: Standing) -> list[tuple[str | None, str]]:
    return [(change.level, change.cause) for change in standing.changes]


def test_a_level_is_reached_at_its_threshold() -> None:
    assert tell([fact(1, 99)], 1).level is None
    standing = tell([fact(1, 99), fact(2, 1)], 2)
    assert (standing.level, standing.since, standing.value) == ("silver", day(2), 100)
    assert story(standing) == [("silver", "reached")]


def test_a_level_is_kept_until_the_end_of_its_validity_and_renewed_where_it_is_reached() -> None:
    spent = {"window_days": 30, "validity_days": 60}
    facts = [fact(1.5, 100)]
    assert tell(facts, 61, **spent).level == "silver"
    assert tell(facts, 61, **spent).due_at == day(62)
    assert story(tell(facts, 62, **spent)) == [("silver", "reached"), (None, "reviewed")]
    renewed = tell([*facts, fact(40, 100)], 62, **spent)
    assert (renewed.level, renewed.valid_until) == ("silver", day(123))


def test_what_is_lost_at_the_review_can_be_reached_again_in_the_grace_period() -> None:
    spent = {"window_days": 30, "validity_days": 60, "grace_days": 10}
    facts = [fact(1.5, 100)]
    assert tell(facts, 71.5, **spent).level == "silver"
    assert tell(facts, 72, **spent).level is None
    kept = tell([*facts, fact(65, 100)], 100, **spent)
    assert (kept.level, len(kept.changes)) == ("silver", 1)


def test_a_refund_that_leaves_the_window_in_the_grace_period_lets_the_level_be_reached_again() -> (
    None
):
    rule = {"window_days": 20, "validity_days": 5, "grace_days": 4}
    facts = [fact(0.5, 1), fact(1.5, -1), fact(3, 100)]
    in_grace = tell(facts, 21, **rule)
    assert (in_grace.level, in_grace.value, in_grace.due_at) == ("silver", 99, day(21.5))
    kept = tell(facts, 21.5, **rule)
    assert (kept.level, kept.value, kept.valid_until) == ("silver", 100, day(27))


def test_after_a_refund_growth_drops_at_once_the_tier_at_once_or_at_its_review_by_scheme() -> None:
    facts = [fact(1, 300), fact(9, -250)]
    at_once = tell(facts, 9, **YEAR)
    assert (at_once.value, at_once.level) == (50, None)
    assert story(at_once) == [("gold", "reached"), (None, "refunded")]
    later = tell(facts, 9, **YEAR, after_refund="at_review")
    assert (later.value, later.level) == (50, "gold")
    assert tell(facts, 400, **YEAR, after_refund="at_review").level is None


def test_a_small_refund_takes_no_level_that_only_the_window_has_left_behind() -> None:
    spent = {"window_days": 30, "validity_days": 60}
    assert tell([fact(1, 150), fact(40, 5), fact(41, -5)], 45, **spent).level == "silver"


def test_without_validity_a_level_goes_when_its_growth_leaves_the_window() -> None:
    facts = [fact(1, 100), fact(5, 250)]
    standing = tell(facts, 20, window_days=30)
    assert (standing.level, standing.due_at) == ("gold", day(31))
    assert story(tell(facts, 40, window_days=30)) == [
        ("silver", "reached"),
        ("gold", "reached"),
        ("silver", "left_window"),
        (None, "left_window"),
    ]


def test_net_paid_counts_in_its_currency_alone() -> None:
    net_paid = {"basis": "net_paid", "currency": "CNY"}
    levels = [{"name": "silver", "threshold": 10_000}]
    assert tell([fact(1, 100)], 1, **net_paid, levels=levels).level == "silver"
    other = net_paid | {"currency": "JPY"}
    assert tell([fact(1, 100)], 1, **other, levels=levels).level is None


def test_a_paid_membership_has_its_level_until_its_end() -> None:
    bought = Membership("gold", day(3), day(33))
    assert tell([fact(1, 100)], 2, bought).level == "silver"
    assert tell([fact(1, 100)], 5, bought).level == "gold"
    ended = tell([fact(1, 100)], 40, bought)
    assert story(ended) == [("silver", "reached"), ("gold", "bought"), ("silver", "paid_ended")]


def test_a_new_version_counts_from_its_time_on_and_leaves_history_as_it_was() -> None:
    lower = [{"name": "silver", "threshold": 50}, {"name": "gold", "threshold": 100}]
    versions = [Version(1, day(0), scheme()), Version(2, day(10), scheme(levels=lower))]
    before = tiers.tell([fact(1, 100)], [], versions, day(5))
    assert (before.level, before.version, before.due_at) == ("silver", 1, day(10))
    after = tiers.tell([fact(1, 100)], [], versions, day(10))
    assert (after.level, after.version) == ("gold", 2)
    assert [change.version for change in after.changes] == [1, 2]


def test_before_the_first_version_nobody_has_a_level() -> None:
    versions = [Version(1, day(10), scheme())]
    standing = tiers.tell([fact(1, 100)], [], versions, day(5))
    assert (standing.level, standing.value, standing.due_at) == (None, None, day(10))
    assert tiers.tell([fact(1, 100)], [], versions, day(11)).level == "silver"


def test_a_level_that_a_version_no_longer_has_is_judged_anew() -> None:
    bronze = [{"name": "bronze", "threshold": 10}]
    versions = [Version(1, day(0), scheme(**YEAR)), Version(2, day(10), scheme(levels=bronze))]
    assert tiers.tell([fact(1, 100)], [], versions, day(11)).level == "bronze"


def test_a_gift_is_given_once_in_a_period() -> None:
    facts = [fact(1, 300), fact(5, -200), fact(9, 200)]
    (award,) = tell(facts, 20, **YEAR).awards
    assert (award.level, award.since, award.recalled_at) == ("gold", day(1), day(5))
    again = [*facts, fact(380, 300)]
    assert [one.since for one in tell(again, 400, **YEAR).awards] == [day(1), day(380)]


def test_an_unused_upgrade_gift_is_recalled_even_where_the_tier_waits_for_its_review() -> None:
    facts = [fact(1, 300), fact(9, -250)]
    (award,) = tell(facts, 9, **YEAR, after_refund="at_review").awards
    assert award.recalled_at == day(9)
    kept: list[Award] = tell([fact(1, 400), fact(9, -50)], 9, **YEAR).awards
    assert [one.recalled_at for one in kept] == [None]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"levels": [LEVELS[1], LEVELS[0]]}, "$.levels"),
        ({"levels": [LEVELS[0], LEVELS[0] | {"threshold": 500}]}, "$.levels"),
        ({"levels": [LEVELS[0] | {"threshold": -1}]}, "$.levels[0].threshold"),
        ({"levels": []}, "$.levels"),
        ({"basis": "net_paid"}, "$.currency"),
        ({"grace_days": 3}, "$.validity_days"),
        ({"paid": [{"sku": "x", "level": "lead", "days": 1}]}, "$.paid[0].level"),
        ({"zone": "Mars/Olympus"}, "$.zone"),
        ({"colour": "red"}, "$"),
    ],
)
def test_a_scheme_that_contradicts_itself_is_refused_with_its_field(
    wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadDocument) as refused:
        scheme(**wrong)
    assert refused.value.field == field


HALF_DAYS = 120
facts_of_a_member = st.lists(
    st.tuples(st.integers(1, HALF_DAYS), st.integers(-150, 250).filter(bool)),
    max_size=12,
    unique_by=lambda one: one[0],
)
rules = st.fixed_dictionaries(
    {
        "window_days": st.sampled_from([None, 8, 20]),
        "validity_days": st.sampled_from([5, 12]),
        "grace_days": st.sampled_from([0, 4]),
        "after_refund": st.sampled_from(["at_once", "at_review"]),
    }
) | st.fixed_dictionaries({"window_days": st.sampled_from([None, 8, 20])})


def reached(value: int) -> str | None:
    return "gold" if value >= 300 else "silver" if value >= 100 else None


RANK = {None: 0, "silver": 1, "gold": 2}


def model(told: list[tuple[int, int]], rule: dict[str, Any], until: int) -> str | None:
    """The level by looking at every half day anew: what the rules say, nothing remembered but the
    level, since when, and until when it is valid."""
    window = (rule["window_days"] or 10_000) * 2
    validity: int = rule.get("validity_days", 0)
    grace: int = rule.get("grace_days", 0) * 2
    level: str | None = None
    valid_until: int | None = None
    since = 0

    def value(now: int, start: int) -> int:
        return sum(growth for when, growth in told if start < when <= now)

    for now in range(until + 1):
        wanted = reached(value(now, now - window))
        change = sum(growth for when, growth in told if when == now)
        is_over = valid_until is not None and now >= valid_until + grace
        is_refund = change < 0 and rule.get("after_refund") == "at_once"
        is_undone = RANK[reached(value(now, since - window))] < RANK[level]
        is_lost = not validity or is_over or (is_refund and is_undone)
        is_up = RANK[wanted] > RANK[level] and change > 0
        if is_up or (RANK[wanted] < RANK[level] and is_lost):
            level, since = wanted, now
            valid_until = (now // 2 + validity + 1) * 2 if validity and level else None
        elif RANK[wanted] >= RANK[level] and valid_until is not None and now >= valid_until:
            valid_until = (now // 2 + validity + 1) * 2
    return level


@example(
    told=[(1, 1), (3, -1), (6, 100)],
    rule={"window_days": 20, "validity_days": 5, "grace_days": 4, "after_refund": "at_once"},
    until=50,
)
@given(told=facts_of_a_member, rule=rules, until=st.integers(0, HALF_DAYS))
def test_a_level_is_what_looking_every_half_day_gives(
    told: list[tuple[int, int]], rule: dict[str, Any], until: int
) -> None:
    facts = [fact(when / 2, growth) for when, growth in told]
    assert tell(facts, until / 2, **rule).level == model(told, rule, until)


@given(facts_of_a_member, rules, st.randoms(use_true_random=False))
def test_the_history_is_the_same_in_any_order_and_only_grows(
    told: list[tuple[int, int]], rule: dict[str, Any], chance: Any
) -> None:
    facts = [fact(when / 2, growth) for when, growth in told]
    whole = tell(facts, HALF_DAYS / 2, **rule)
    chance.shuffle(facts)
    assert tell(facts, HALF_DAYS / 2, **rule) == whole
    half = tell(facts, HALF_DAYS / 4, **rule)
    assert whole.changes[: len(half.changes)] == half.changes
    if half.due_at is not None:
        assert all(
            change.at >= half.due_at
            for change in tell(
                [f for f in facts if f.at <= day(HALF_DAYS / 4)], HALF_DAYS, **rule
            ).changes[len(half.changes) :]
        )
