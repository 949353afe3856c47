"""Conversions that a map may use: small, total, and named. Each takes a value or says why not.

A money value is a Decimal until it is written down, so that sums lose nothing; ids are text, and an
id that was once a number in a spreadsheet (4.83E+18) is refused, since its digits are gone.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub.channels.requests import PushRefused, parse_json

EPOCH_S_MAX = 4_102_444_800
"""The year 2100: seconds above it are milliseconds by mistake."""
INTEGER_MAX = 2**63 - 1
"""Larger whole numbers are written as text: JSON of others could not carry them."""
_BARE = re.compile(r"^[`'\t\s]*(?:=\"(.*)\"|(.*?))[\t\s]*$", re.DOTALL)
_SPOILT = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]{2}")
_TRUE = frozenset({"true", "1", "yes", "y", "是"})
_FALSE = frozenset({"false", "0", "no", "n", "否"})


class Unfit(ValueError):
    """The value is none of what the conversion takes."""


def text(value: Any) -> str:
    """As text; every digit of an id is kept."""
    if isinstance(value, bool | dict | list):
        raise Unfit("it is no text or number")
    if isinstance(value, Decimal):
        if "E" in str(value).upper():
            raise Unfit("its digits are lost: it went through a spreadsheet or a float")
        return format(value, "f")
    written = str(value)
    if _SPOILT.fullmatch(written):
        raise Unfit("its digits are lost: it went through a spreadsheet or a float")
    return written


def bare(value: Any) -> str:
    """Without what spreadsheets and bills put around: a leading backtick, tabs, `="…"`."""
    found = _BARE.match(text(value))
    assert found is not None, "the pattern matches any text"
    return text(found[1] if found[1] is not None else found[2])


def _number(value: Any) -> Decimal:
    if isinstance(value, bool | dict | list):
        raise Unfit("it is no number")
    try:
        number = Decimal(bare(value).replace(",", "").removeprefix("¥").removeprefix("¥"))
    except InvalidOperation:
        raise Unfit("it is no number") from None
    if not number.is_finite() or abs(number.adjusted()) > 24:
        raise Unfit("it is no number within bounds")
    return number


def yuan(value: Any) -> Decimal:
    """An amount in the currency's main unit: 12.3, "12.30", "¥1,200.00"."""
    number = _number(value)
    if number != number.quantize(Decimal("0.01")):
        raise Unfit("it has more than two digits after the point")
    return number.quantize(Decimal("0.01"))


def fen(value: Any) -> Decimal:
    """An amount in hundredths: 19800 is 198.00."""
    number = _number(value)
    if number != number.to_integral_value():
        raise Unfit("hundredths are whole")
    return number.scaleb(-2).quantize(Decimal("0.01"))


def quantity(value: Any) -> Decimal:
    """A quantity with at most three digits after the point."""
    number = _number(value)
    if number != number.quantize(Decimal("0.001")):
        raise Unfit("it has more than three digits after the point")
    return number.normalize() if number else Decimal(0)


def integer(value: Any) -> int:
    """A whole number."""
    number = _number(value)
    if number != number.to_integral_value():
        raise Unfit("it is not whole")
    return int(number)


def hundredth(value: Any) -> int:
    """A whole number that a platform counts a hundredfold: 12300 is 123."""
    number = integer(value)
    if number % 100:
        raise Unfit("it is no multiple of 100")
    return number // 100


def epoch_s(value: Any) -> datetime:
    """Seconds since 1970."""
    seconds = integer(value)
    if not 0 < seconds <= EPOCH_S_MAX:
        raise Unfit("it is no time in seconds")
    return datetime.fromtimestamp(seconds, UTC)


def epoch_ms(value: Any) -> datetime:
    """Milliseconds since 1970."""
    milliseconds = integer(value)
    if not 0 < milliseconds <= EPOCH_S_MAX * 1000:
        raise Unfit("it is no time in milliseconds")
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return whole.replace(microsecond=milliseconds % 1000 * 1000)


def iso(value: Any) -> datetime:
    """ISO 8601 with its zone."""
    try:
        moment = datetime.fromisoformat(text(value))
    except ValueError:
        raise Unfit("it is no time in ISO 8601") from None
    if moment.tzinfo is None:
        raise Unfit("it has no zone")
    return moment


def local_time(value: Any, pattern: str, zone: str) -> datetime:
    """A time as a platform writes it, in the platform's zone."""
    try:
        return datetime.strptime(bare(value), pattern).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise Unfit(f"it is no time written as {pattern}") from None


def flag(value: Any) -> bool:
    """True or false, however it is written."""
    written = str(value).strip().lower()
    if written in _TRUE:
        return True
    if written in _FALSE:
        return False
    raise Unfit("it is neither true nor false")


def from_json(value: Any) -> Any:
    """What a text holds that is JSON itself."""
    try:
        return parse_json(text(value).encode("utf-8", "surrogatepass"))
    except PushRefused as refused:
        raise Unfit(refused.reason) from None


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "text": text,
    "bare": bare,
    "yuan": yuan,
    "fen": fen,
    "quantity": quantity,
    "integer": integer,
    "hundredth": hundredth,
    "epoch_s": epoch_s,
    "epoch_ms": epoch_ms,
    "iso": iso,
    "flag": flag,
    "json": from_json,
    "upper": lambda value: text(value).upper(),
    "lower": lambda value: text(value).lower(),
}
"""Those without an argument. Those that need the pack are in `hub.channels.expressions`."""


def written(value: Any) -> Any:
    """A value as JSON has it: amounts and quantities as decimal text, times with their zone."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        return str(value)
    if isinstance(value, list):
        return [written(item) for item in value]
    if isinstance(value, dict):
        return {name: written(item) for name, item in value.items()}
    return value


def as_json(value: Any) -> bytes:
    """A value as the bytes of its JSON."""
    return msgspec.json.encode(written(value))
