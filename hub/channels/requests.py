"""What comes in at a channel's door and what goes back, apart from any web framework."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Struct

from hub.errors import HubError

FIELDS_MAX = 200
EXPONENT_MAX = 30


class PushRefused(HubError):
    """A push is not what its platform would send. code: the reason's stable name."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Given(Struct, frozen=True):
    """What a channel's configuration gives a pack: settings, secrets by name (the newest first),
    and the hub's SKU of its own."""

    channel: str
    settings: Mapping[str, str] = {}
    secrets: Mapping[str, tuple[str, ...]] = {}
    skus: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Given({self.channel!r})"  # secrets stay out of logs and tracebacks


class Reply(Struct, frozen=True):
    """What the platform wants to hear, to the byte."""

    status: int = 200
    content_type: str = "application/json"
    body: str = ""


class Request(Struct):
    """A request as it came; names of headers in lower case. `form`: its body is a form."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    shop: str
    received_at: datetime
    form: bool = False
    parsed: dict[str, Any] | None = None

    def at(self, place: str) -> str | None:
        """The text at `header:X`, `query:X` or `field:X`; None if nothing is there."""
        kind, _, name = place.partition(":")
        if kind == "header":
            return self.headers.get(name.lower())
        if kind == "query":
            return self.query.get(name)
        found = self.fields().get(name)
        return None if found is None else str(found)

    def fields(self) -> dict[str, Any]:
        """The top fields of the body; PushRefused if there are none to read."""
        if self.parsed is None:
            found = _form(self.body) if self.form else parse_json(self.body)
            self.parsed = found if isinstance(found, dict) else {}
        return self.parsed


def parse_json(body: bytes) -> Any:
    """JSON with one meaning: numbers keep their digits, no key stands twice."""
    try:
        return json.loads(
            body, parse_float=_decimal, parse_constant=_no_constant, object_pairs_hook=_unique
        )
    except (ValueError, RecursionError) as error:
        reason = "the body is no JSON" if isinstance(error, json.JSONDecodeError) else str(error)
        raise PushRefused("body_unreadable", reason[:200]) from None


def _decimal(text: str) -> Decimal:
    """A number with all its digits; one that would be written with thousands of them is none."""
    number = Decimal(text)
    if abs(number.adjusted()) > EXPONENT_MAX:
        raise ValueError("a number is out of bounds")
    return number


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise PushRefused("body_unreadable", "the body is no form in UTF-8") from None
    return _unique(pairs)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
