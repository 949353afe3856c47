"""Amounts and quantities: exact, within bounds, split without losing a unit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import money

TEXTS = st.text("0123456789.-+eE ,_１٣", max_size=20)


@pytest.mark.parametrize(
    ("value", "currency", "minor"),
    [
        ("12.30", "CNY", 1230),
        ("12.3", "CNY", 1230),
        ("12", "CNY", 1200),
        ("0", "CNY", 0),
        ("-0.01", "CNY", -1),
        ("1200", "JPY", 1200),
        ("1200", "KRW", 1200),
        ("1.234", "KWD", 1234),
        ("1.2", "KWD", 1200),
    ],
)
def test_an_amount_becomes_minor_units_of_its_currency(
    value: str, currency: str, minor: int
) -> None:
    assert money.minor(value, currency) == minor


@pytest.mark.parametrize(
    ("value", "currency"),
    [("1.5", "JPY"), ("1.0", "KRW"), ("1.2345", "KWD"), ("1.234", "CNY")],
)
def test_more_digits_than_the_currency_has_are_refused(value: str, currency: str) -> None:
    with pytest.raises(money.BadNumber, match="digits after the point"):
        money.minor(value, currency)


@pytest.mark.parametrize(
    "value",
    ["", "-", ".", ".5", "1.", "+1", "1e3", " 1", "1 ", "1,000", "1_000", "0x1", "NaN", "１", "٣"],
)
def test_what_is_no_plain_decimal_number_is_refused(value: str) -> None:
    with pytest.raises(money.BadNumber, match="not a decimal number"):
        money.minor(value, "CNY")


def test_the_largest_amount_is_taken_and_one_more_is_refused() -> None:
    largest = money.decimal_text(money.INTEGER_MAX, 2)
    assert money.minor(largest, "CNY") == money.INTEGER_MAX
    with pytest.raises(money.BadNumber, match="too large"):
        money.minor(money.decimal_text(money.INTEGER_MAX + 1, 2), "CNY")


@pytest.mark.parametrize("value", ["9223372036854775808", "1" + "0" * 30])
def test_what_passes_64_bits_is_refused_in_every_currency(value: str) -> None:
    for currency in ("JPY", "CNY", "KWD"):
        with pytest.raises(money.BadNumber, match="too large"):
            money.minor(value, currency)


def test_a_half_kilogram_is_500_thousandths() -> None:
    assert money.milli("0.5") == 500
    assert money.milli("-1.125") == -1125


def test_the_largest_quantity_is_taken_and_one_more_is_refused() -> None:
    assert money.milli("1000000000") == money.QUANTITY_MAX_MILLI
    with pytest.raises(money.BadNumber, match="too large"):
        money.milli("1000000000.001")


def test_ten_over_three_equal_lines_is_334_and_twice_333() -> None:
    assert money.allocate(1000, [1, 1, 1]) == [334, 333, 333]


def test_a_discount_over_free_lines_is_split_evenly() -> None:
    assert money.allocate(5, [0, 0]) == [3, 2]


@given(
    total=st.integers(0, 10**9),
    weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=20),
)
def test_what_is_split_is_neither_lost_nor_made(total: int, weights: list[int]) -> None:
    shares = money.allocate(total, weights)
    whole = sum(weights)
    assert sum(shares) == total
    if whole:
        for share, weight in zip(shares, weights, strict=True):
            assert abs(share * whole - total * weight) < whole  # less than one unit off


@given(number=st.integers(-(2**53), 2**53), digits=st.sampled_from([0, 2, 3]))
def test_a_number_written_and_read_again_is_the_same(number: int, digits: int) -> None:
    written = money.decimal_text(number, digits)
    if len(written.partition(".")[0].lstrip("-")) <= 16:
        assert money.parse_decimal(written, digits) == number


@given(value=TEXTS, digits=st.sampled_from([0, 2, 3]))
def test_any_text_is_an_exact_number_or_refused(value: str, digits: int) -> None:
    try:
        number = money.parse_decimal(value, digits)
    except money.BadNumber:
        return
    whole, _, fraction = value.partition(".")
    assert number == int(whole + fraction) * 10 ** (digits - len(fraction))
