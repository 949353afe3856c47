"""Amounts and quantities as they leave: decimal strings, as channels send them."""

from hub.domain import ids, money


def amount(minor: int | None, currency: str | None) -> str | None:
    """Minor units as a decimal string of the currency: 1230 CNY is "12.30"."""
    if minor is None:
        return None
    return money.decimal_text(minor, money.exponent(currency or ""))


def quantity(milli: int) -> str:
    """Thousandths as a decimal string without needless digits: 1500 is "1.5", 2000 is "2"."""
    text = money.decimal_text(milli, money.QUANTITY_DIGITS)
    return text.rstrip("0").rstrip(".")


def id_text(key: bytes | None) -> str | None:
    """An id as people and JSON see it."""
    return None if key is None else ids.text(key)
