"""Columns of the data set in exact integers: cents and thousandths. No float arithmetic.

Formatting back to the decimal strings of the event contract is here too.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.errors import HubError

Integers = NDArray[np.int64]

CENT = Decimal("0.01")
NOISE_MAX = Decimal("0.000001")
"""The set's floats carry noise below this (1.8e-15 for nothing); more would be a real fraction."""


class NotWholeCentsError(HubError):
    """An amount of the data set is not a whole number of cents."""


def cents(column: Any) -> Integers:
    """A float column of currency units as integer cents, by way of each value's decimal text.

    Raises `NotWholeCentsError` for a value more than `NOISE_MAX` away from a whole cent.
    """
    values, places = np.unique(np.asarray(column, dtype=np.float64), return_inverse=True)
    exact = np.array([_cents(value) for value in values.tolist()], dtype=np.int64)
    return exact[places]


def _cents(value: float) -> int:
    amount = Decimal(str(value))
    rounded = amount.quantize(CENT, rounding=ROUND_HALF_EVEN)
    if abs(amount - rounded) > NOISE_MAX:
        raise NotWholeCentsError(f"{value!r} is not a whole number of cents")
    return int(rounded.scaleb(2))


def amount_text(minor: int) -> str:
    """1230 is "12.30". Not for amounts below 0: the set has none."""
    return f"{minor // 100}.{minor % 100:02d}"


def quantity_text(milli: int) -> str:
    """2000 is "2", 8725 is "8.725"."""
    whole, rest = divmod(milli, 1000)
    return f"{whole}.{rest:03d}".rstrip("0") if rest else str(whole)


def unit_price_minor(gross_minor: int, milli: int) -> int:
    """What one unit cost before discounts, to the nearest cent (half to even); 0 for none."""
    if milli == 0:
        return 0
    price, rest = divmod(gross_minor * 1000, milli)
    if 2 * rest > milli or (2 * rest == milli and price % 2):
        return price + 1
    return price
