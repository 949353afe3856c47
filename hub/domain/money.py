"""Amounts and quantities: decimal strings outside, integers inside. No float anywhere.

Money is integer minor units of its currency (ISO 4217 exponents); quantities are integer
thousandths of their unit.
"""

from functools import lru_cache

_EXPONENTS = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0,
    "RWF": 0, "UGX": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip
INTEGER_MAX = 2**53
"""Largest amount in minor units, and quantity in thousandths."""
QUANTITY_DIGITS = 3
QUANTITY_MAX_MILLI = 10**12
"""A thousand million units: positions sum many of them in 64 bits."""


class BadNumber(ValueError):
    """An amount or quantity that is not a decimal number within bounds."""


def exponent(currency: str) -> int:
    """Digits after the point of a currency (ISO 4217)."""
    return _EXPONENTS.get(currency, 2)


@lru_cache(maxsize=65_536)  # prices repeat: a hit costs a tenth of parsing
def parse_decimal(value: str, digits: int) -> int:
    """`value` times 10**digits as an integer, exactly.

    "12.3" with 2 digits is 1230. BadNumber for more digits than that ("1.234"), signs other than
    a leading minus, exponents, spaces, or above INTEGER_MAX.
    """
    whole, point, fraction = value.partition(".")
    magnitude = whole[1:] if whole[:1] == "-" else whole
    if not magnitude.isdecimal() or not magnitude.isascii() or (point and not _is_digits(fraction)):
        raise BadNumber(f"'{value[:40]}' is not a decimal number such as \"12.30\"")
    if len(fraction) > digits:
        raise BadNumber(f"'{value[:40]}' has more than {digits} digits after the point")
    if len(magnitude) > 16:
        raise BadNumber(f"'{value[:40]}' is too large")
    number = int(magnitude + fraction.ljust(digits, "0"))
    if number > INTEGER_MAX:
        raise BadNumber(f"'{value[:40]}' is too large")
    return -number if whole[:1] == "-" else number


def _is_digits(fraction: str) -> bool:
    return fraction.isdecimal() and fraction.isascii()


def minor(value: str, currency: str) -> int:
    """An amount in minor units of its currency."""
    return parse_decimal(value, _EXPONENTS.get(currency, 2))


def milli(value: str) -> int:
    """A quantity in thousandths."""
    quantity = parse_decimal(value, QUANTITY_DIGITS)
    if abs(quantity) > QUANTITY_MAX_MILLI:
        raise BadNumber(f"'{value[:40]}' is too large")
    return quantity


def decimal_text(number: int, digits: int) -> str:
    """The decimal string of an integer of 10**-digits units: `parse_decimal`'s inverse."""
    if digits == 0:
        return str(number)
    sign, magnitude = ("-", -number) if number < 0 else ("", number)
    return f"{sign}{magnitude // 10**digits}.{magnitude % 10**digits:0{digits}d}"


def allocate(total: int, weights: list[int]) -> list[int]:
    """Split `total` by `weights` exactly: largest remainders get the last units, ties go to the
    first. 1000 over three equal weights is 334, 333, 333."""
    whole = sum(weights)
    if whole == 0:
        weights, whole = [1] * len(weights), len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares
