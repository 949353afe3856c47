"""Price lists: what members of a level pay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import price_lists
from hub.domain.documents import BadDocument

pytestmark = pytest.mark.unit
GOLD = price_lists.read({"currency": "CNY", "percent_off": 5, "prices": {"cake": "188.00"}})


def test_an_item_has_its_own_price_and_all_others_are_so_many_percent_off() -> None:
    assert GOLD.price_minor("cake", 19_800, "CNY") == 18_800
    assert GOLD.price_minor("candle", 1_000, "CNY") == 950
    assert GOLD.price_minor("candle", 990, "CNY") == 940  # half a fen is the buyer's


def test_a_list_never_raises_the_price_and_says_nothing_of_other_currencies() -> None:
    assert GOLD.price_minor("cake", 9_900, "CNY") == 9_900
    assert GOLD.price_minor("cake", 19_800, "USD") == 19_800


@given(plain=st.integers(0, 10**9), percent=st.integers(0, 100))
def test_a_price_is_between_nothing_and_the_plain_one(plain: int, percent: int) -> None:
    listed = price_lists.read({"currency": "CNY", "percent_off": percent})
    assert 0 <= listed.price_minor("x", plain, "CNY") <= plain


@pytest.mark.parametrize("price", ["-1.00", "1.001", "x"])
def test_a_price_that_is_none_is_refused_with_its_item(price: str) -> None:
    with pytest.raises(BadDocument) as caught:
        price_lists.read({"currency": "CNY", "prices": {"cake": price}})
    assert caught.value.field == "$.prices.cake"
