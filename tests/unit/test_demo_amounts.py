"""Columns of the data set in exact integers."""

import pytest

from hub.demo.amounts import NotWholeCentsError, amount_text, cents, quantity_text, unit_price_minor


def test_noise_of_floats_is_rounded_away() -> None:
    assert cents([0.1 + 0.2, 1.7763568394002505e-15, 2.675, 840.0][:2]).tolist() == [30, 0]
    assert cents([0.29, 19.99, 840.0]).tolist() == [29, 1999, 84000]


def test_a_real_fraction_of_a_cent_is_refused() -> None:
    with pytest.raises(NotWholeCentsError):
        cents([1.234])


def test_amounts_and_quantities_are_decimal_texts() -> None:
    assert [amount_text(minor) for minor in (0, 5, 1230)] == ["0.00", "0.05", "12.30"]
    assert [quantity_text(milli) for milli in (0, 2000, 8725, 10)] == ["0", "2", "8.725", "0.01"]


def test_a_unit_price_is_the_nearest_cent() -> None:
    assert unit_price_minor(578, 2000) == 289
    assert unit_price_minor(2007, 8725) == 230
    assert unit_price_minor(399, 0) == 0
    # Half a cent goes to the even one.
    assert unit_price_minor(5, 2000) == 2
    assert unit_price_minor(7, 2000) == 4
