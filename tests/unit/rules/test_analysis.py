"""What rules do to one another, found before they are published."""

import pytest

from hub.rules import analysis, checking
from hub.rules.analysis import Finding
from tests.unit.rules.orders import written

pytestmark = pytest.mark.unit
POINTS = (
    "[{do: adjust_points, id: p, with: [{target: member, constant: m}, "
    "{target: points, constant: 1, type: integer}, {target: reason, constant: r}]}]"
)
COUPON = "[{do: issue_coupon, id: c, to: t, with: [{target: member, constant: m}]}]"


def found(*rules: str, echoes: dict[str, list[str]] | None = None) -> list[Finding]:
    return analysis.analyse([checking.check(rule).rule for rule in rules], echoes)


def test_rule_a_triggers_b_triggers_a_is_found_when_saving() -> None:
    a = written("a", "coupon.issued", actions=POINTS)
    b = written("b", "points.adjusted", actions=COUPON)
    (loop,) = found(a, b)
    assert loop.code == "loop"
    assert loop.rules == ("a", "b")
    assert "rule 'a' writes what rule 'b' reads (points.adjusted)" in loop.en
    assert "“b”写入的正是规则“a”" in loop.zh


def test_a_rule_that_starts_itself_is_found() -> None:
    (loop,) = found(written("a", "points.adjusted", actions=POINTS))
    assert loop.rules == ("a",)


def test_a_chain_that_ends_is_no_circle() -> None:
    assert found(written("a", "coupon.issued", actions=POINTS), written("b")) == []


def test_what_a_channel_tells_in_answer_closes_a_circle() -> None:
    (loop,) = found(written("a"), echoes={"website": ["order.placed"]})
    assert loop.rules == ("a",)


def test_two_rules_that_deliver_one_event_to_one_channel_are_a_conflict() -> None:
    every = written("every")
    one = written("one", trigger="{events: [order.placed], channels: [website]}")
    (conflict,) = found(every, one)
    assert conflict.code == "conflict"
    assert conflict.rules == ("every", "one")
