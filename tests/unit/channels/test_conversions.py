"""Values of platforms: what is taken, exactly, and what is refused."""

import contextlib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.channels import conversions, expressions, mapping
from hub.channels.conversions import CONVERSIONS, Unfit
from hub.channels.expressions import Scope, Unmapped, Ways
from hub.channels.paths import MISSING


def scope(**roots: Any) -> Scope:
    ways = Ways({"status": {"1": "paid"}}, "fen", "epoch_s", "Asia/Shanghai", {"a": "cake"})
    return Scope(roots, ways)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("fen", 19800, "198.00"),
        ("fen", "5", "0.05"),
        ("yuan", "12.3", "12.30"),
        ("yuan", "¥1,200.00", "1200.00"),
        ("yuan", Decimal("0.1"), "0.10"),
        ("quantity", "0.500", "0.5"),
        ("quantity", 100, "100"),
        ("text", 4837328765348566675, "4837328765348566675"),
        ("bare", "`4200001234", "4200001234"),
        ("bare", '="00017"', "00017"),
        ("bare", "\t00017\t", "00017"),
        ("epoch_s", 1772337480, "2026-03-01T03:58:00+00:00"),
        ("epoch_ms", "1772337480123", "2026-03-01T03:58:00.123000+00:00"),
        ("hundredth", 12300, 123),
        ("flag", "否", False),
    ],
)
def test_a_value_is_taken_exactly(name: str, value: Any, written: Any) -> None:
    assert conversions.written(CONVERSIONS[name](value)) == written


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "4.83E+18"),
        ("text", Decimal("4.83E+18")),
        ("text", {"a": 1}),
        ("fen", "12.3"),
        ("yuan", "12.345"),
        ("yuan", "NaN"),
        ("yuan", "1e30"),
        ("yuan", True),
        ("integer", "1.5"),
        ("epoch_s", 1772337480123),
        ("epoch_s", 0),
        ("iso", "2026-03-01T12:00:00"),
        ("flag", "perhaps"),
        ("json", "{"),
        ("hundredth", 150),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Unfit):
        CONVERSIONS[name](value)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(), part, max_size=3),
)


@given(st.sampled_from(sorted(CONVERSIONS)), anything)
def test_a_conversion_gives_a_value_or_says_why_not_whatever_it_is_given(
    name: str, value: Any
) -> None:
    with contextlib.suppress(Unfit):
        conversions.written(CONVERSIONS[name](value))


def test_a_status_that_is_not_in_the_map_names_the_map_and_the_field() -> None:
    assert expressions.value_of("$.s | map(status)", scope(message={"s": 1})) == "paid"
    with pytest.raises(Unmapped) as caught:
        expressions.value_of("$.s | map(status)", scope(message={"s": 9}))
    assert caught.value.field == "$.s"
    assert "'9' is not in the map status" in caught.value.reason


def test_a_line_takes_the_first_value_that_is_there() -> None:
    said = scope(message={"a": "", "b": None, "c": "x"})
    assert expressions.value_of("$.a ?? $.b ?? $.c", said) == "x"
    assert expressions.value_of("$.a ?? 'none'", said) == "none"
    assert expressions.value_of("$.a?", said) is MISSING
    with pytest.raises(Unmapped, match="does not have it"):
        expressions.value_of("$.a", said)


def test_an_sku_that_nobody_mapped_stays_the_channels_own() -> None:
    assert expressions.value_of("$.s | sku", scope(message={"s": "a"})) == "cake"
    assert expressions.value_of("$.s | sku", scope(message={"s": "b"})) == "b"


def test_an_object_of_which_nothing_is_there_is_left_out() -> None:
    node = {"buyer": {"account": "$.buyer?"}, "n": "$.n"}
    assert mapping.apply(node, scope(message={"n": 1})) == {"n": 1}
    assert mapping.apply(node, scope(message={"n": 1, "buyer": "b"}))["buyer"] == {"account": "b"}


def test_a_list_walks_over_items_and_adds_what_stands_beside() -> None:
    node = [{"each": "$.l", "item": {"i": "$index", "v": "$item.v"}}, {"v": "last"}]
    made = mapping.apply(node, scope(message={"l": [{"v": "a"}, {"v": "b"}]}))
    assert made == [{"i": 1, "v": "a"}, {"i": 2, "v": "b"}, {"v": "last"}]


def test_a_list_above_its_limit_is_refused() -> None:
    node = {"each": "$.l", "item": "$item"}
    many = [1] * mapping.ITEMS_MAX
    assert len(mapping.apply(node, scope(message={"l": many}))) == mapping.ITEMS_MAX
    with pytest.raises(Unmapped):
        mapping.apply(node, scope(message={"l": [*many, 1]}))


def test_amounts_are_calculated_without_a_float() -> None:
    said = scope(message={"a": 333, "b": 1}, item={"n": "3"})
    total = expressions.value_of("$.a | money | times($item.n) | minus($.b)", said)
    assert conversions.written(total) == "9.98"
