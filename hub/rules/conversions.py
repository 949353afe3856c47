"""Values as the types of field maps: money, quantities, members, times, telephones.

A value that cannot be converted raises `Unfit` with a code, never anything else.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from msgspec import Struct

from hub.domain import money
from hub.domain.money import BadNumber
from hub.rules.document import Field, Type

TEXT_CHARS_MAX = 8_192
PHONE_REGION = "CN"
FORMS_MAX = 1_024


class Unfit(ValueError):
    """A value that is not what its field must be."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Form(Struct, frozen=True):
    """What a field says of the value that it wants."""

    type: Type
    is_minor: bool = False
    gives_minor: bool = False
    currency: str = ""
    zone: str = ""
    phone: str = ""


def form(field: Field) -> Form:
    """The form that a field wants."""
    if field.type == "money":
        is_minor, gives_minor = field.source == "minor", field.output == "minor"
        return Form("money", is_minor, gives_minor, field.currency)
    if field.type == "time":
        return Form("time", zone=field.zone)
    return Form("phone", phone=field.phone) if field.type == "phone" else Form(field.type)


@lru_cache(FORMS_MAX)
def converter(wanted: Form) -> Callable[[Any], Any]:
    """What turns values into a form, one function for all fields that want the same. Lists are made
    by their items, not here."""
    if wanted.type == "money":
        return lambda value: _money(value, wanted)
    if wanted.type == "time":
        zone = ZoneInfo(wanted.zone)
        return lambda value: _time(value, zone)
    if wanted.type == "phone":
        return lambda value: _phone(value, wanted.phone)
    return _PLAIN[wanted.type]


def text(value: Any) -> str:
    """Any plain value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if not isinstance(value, (str, int, float)):
        raise Unfit("not_text", f"{_kind(value)} is no text")
    found = str(value)
    if len(found) > TEXT_CHARS_MAX:
        raise Unfit("too_long", f"{len(found)} characters are above {TEXT_CHARS_MAX}")
    return found


def _integer(value: Any) -> int:
    if isinstance(value, str):
        try:
            return money.parse_decimal(value, 0)
        except BadNumber as bad:
            raise Unfit("not_a_number", str(bad)) from None
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise Unfit("not_a_number", f"{_kind(value)} is no whole number within 64 bits")
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise Unfit("not_a_boolean", f"{_kind(value)} is neither true nor false")


def _money(value: Any, wanted: Form) -> Any:
    digits = money.exponent(wanted.currency)
    amount = _integer(value) if wanted.is_minor else _decimal(value, digits)
    return amount if wanted.gives_minor else money.decimal_text(amount, digits)


def _quantity(value: Any) -> str:
    try:
        quantity = money.milli(str(value) if isinstance(value, int) else text(value))
    except BadNumber as bad:
        raise Unfit("not_a_number", str(bad)) from None
    return money.decimal_text(quantity, money.QUANTITY_DIGITS)


def _decimal(value: Any, digits: int) -> int:
    if isinstance(value, (bool, float)) or not isinstance(value, (str, int)):
        raise Unfit("not_a_number", f"{_kind(value)} is no decimal number as text")
    try:
        return money.parse_decimal(str(value), digits)
    except BadNumber as bad:
        raise Unfit("not_a_number", str(bad)) from None


def _member(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 128 or not value.isprintable():
        raise Unfit("not_a_member", f"{_kind(value)} is no id of a member or account")
    return value


def _time(value: Any, zone: ZoneInfo) -> str:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise Unfit("no_zone", "the time does not say its zone")
        return moment.astimezone(zone).isoformat()
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, Unfit):
            raise
        raise Unfit("not_a_time", f"{_kind(value)} is no time with a zone") from None


def _phone(value: Any, form: str) -> str:
    try:
        number = phonenumbers.parse(value if isinstance(value, str) else "", PHONE_REGION)
    except phonenumbers.NumberParseException:
        raise Unfit("not_a_phone", "this is no telephone number") from None
    if not phonenumbers.is_valid_number(number):
        raise Unfit("not_a_phone", "this is no telephone number that can exist")
    if form == "national":
        return str(number.national_number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _kind(value: Any) -> str:
    # Values may be personal: reasons name their kind only.
    kinds = {str: "the text", int: "the number", float: "the number", bool: "the boolean"}
    return kinds.get(type(value), {dict: "an object", list: "a list"}.get(type(value), "nothing"))


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "text": text,
    "integer": _integer,
    "boolean": _boolean,
    "quantity": _quantity,
    "member": _member,
}
