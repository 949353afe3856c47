"""One line of a map: `$.pay_time | epoch_s`, `$.a ?? $.b | text`, `{$.tid}-paid`, or a constant.

A path with `?` may be missing; `??` takes the next one then, at last a constant in quotes. After
`|` come conversions. There is no code in it: nothing loops, calls or grows.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from msgspec import Struct

from hub.channels import conversions, paths
from hub.channels.conversions import Unfit
from hub.channels.paths import MISSING, Path
from hub.domain.documents import BadDocument

WITH_ARGUMENT = ("map", "minus", "plus", "times", "local")
WITH_PACK = ("money", "time", "sku")
_CALL = re.compile(r"([a-z_]+)(?:\(([^()]+)\))?")
_HOLE = re.compile(r"\{(\$[^{}]+)\}")
TEXT_MAX = 512


class Unmapped(Exception):
    """A message says something that the pack has no place for; where and why."""

    def __init__(self, code: str, reason: str, field: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.field = field


class Ways(Struct, frozen=True):
    """What of a pack and a channel the lines of a map need."""

    maps: Mapping[str, Mapping[str, str]]
    money: str
    time: str
    zone: str
    skus: Mapping[str, str] = {}


class Scope(Struct):
    """The values a map may reach, by root; `used` notes which top fields it did."""

    roots: dict[str, Any]
    ways: Ways
    used: set[tuple[str, str]] = set()  # msgspec copies an empty default

    def of_item(self, item: Any, index: int) -> "Scope":
        return Scope(self.roots | {"item": item, "index": index}, self.ways, self.used)


class Expression(Struct, frozen=True):
    """A parsed line."""

    choices: tuple[Path | str, ...]
    is_optional: bool
    calls: tuple[tuple[str, str], ...]


@lru_cache(maxsize=8192)
def parse(line: str) -> Expression | tuple[str | Expression, ...] | str:
    """An expression, a template's parts, or a constant. BadDocument if it is none of them."""
    if line.startswith("$"):
        return _expression(line)
    if "{$" not in line:
        return line
    parts = _HOLE.split(line)
    return tuple(_expression(p) if i % 2 else p for i, p in enumerate(parts) if p or i % 2)


def value_of(line: str, scope: Scope) -> Any:
    """What the line gives, MISSING if that may be so. Raises `Unmapped`."""
    parsed = parse(line)
    if isinstance(parsed, str):
        return parsed
    if isinstance(parsed, Expression):
        return _evaluate(parsed, line, scope)
    parts: list[str] = []
    for part in parsed:
        if isinstance(part, str):
            parts.append(part)
            continue
        found = _evaluate(part, line, scope)
        if found is MISSING:
            return MISSING
        parts.append(_text(found, part))
    return "".join(parts)


def text_of(line: str, scope: Scope) -> str:
    """The same as text; empty where the line may give nothing. Raises `Unmapped`."""
    found = value_of(line, scope)
    return "" if found is MISSING else _text(found, line)


def _text(value: Any, source: Expression | str) -> str:
    try:
        return conversions.text(conversions.written(value))
    except Unfit as unfit:
        field = source if isinstance(source, str) else str(source.choices[0])
        raise Unmapped("value_unfit", str(unfit), field) from None


def _expression(line: str) -> Expression:
    source, *calls = (part.strip() for part in line.split("|"))
    choices: list[Path | str] = []
    is_optional = False
    for choice in (part.strip() for part in source.split("??")):
        if choice.startswith("'") and choice.endswith("'") and len(choice) > 1:
            choices.append(choice[1:-1])
            continue
        is_optional = choice.endswith("?")
        choices.append(paths.parse(choice.removesuffix("?")))
    return Expression(tuple(choices), is_optional, tuple(_call(call) for call in calls))


def _call(text: str) -> tuple[str, str]:
    found = _CALL.fullmatch(text)
    name, argument = (found[1], found[2] or "") if found is not None else ("", "")
    if name in WITH_ARGUMENT and argument:
        if name in ("minus", "plus", "times"):
            paths.parse(argument)
        return name, argument
    if (name in conversions.CONVERSIONS or name in WITH_PACK) and not argument:
        return name, ""
    known = ", ".join(sorted([*conversions.CONVERSIONS, *WITH_PACK, *WITH_ARGUMENT]))
    raise BadDocument(f"'{text}' is no conversion: use one of {known}")


def _evaluate(expression: Expression, line: str, scope: Scope) -> Any:
    value: Any = MISSING
    for choice in expression.choices:
        if isinstance(choice, str):
            value = choice
        else:
            value = paths.find(choice, scope.roots)
            if choice.steps:
                scope.used.add((choice.root, str(choice.steps[0])))
        if value is not MISSING:
            break
    if value is MISSING:
        if expression.is_optional:
            return MISSING
        field = str(expression.choices[0])
        raise Unmapped("field_missing", "the message does not have it", field)
    for name, argument in expression.calls:
        try:
            value = _convert(value, name, argument, scope)
        except Unfit as unfit:
            raise Unmapped("value_unfit", str(unfit), str(expression.choices[0])) from None
    return value if not isinstance(value, str) else value[:TEXT_MAX]


def _convert(value: Any, name: str, argument: str, scope: Scope) -> Any:
    ways = scope.ways
    if name in conversions.CONVERSIONS:
        return conversions.CONVERSIONS[name](value)
    if name == "money":
        return conversions.CONVERSIONS[ways.money](value)
    if name == "sku":
        own = conversions.text(value)
        return ways.skus.get(own, own)
    if name in ("time", "local"):
        return _time(value, argument or ways.time, ways.zone)
    if name == "map":
        return _mapped(value, argument, ways)
    other = paths.find(paths.parse(argument), scope.roots)
    return _calculated(value, name, 0 if other is MISSING else other, ways)


def _time(value: Any, pattern: str, zone: str) -> Any:
    if pattern in ("epoch_s", "epoch_ms", "iso"):
        return conversions.CONVERSIONS[pattern](value)
    return conversions.local_time(value, pattern, zone)


def _mapped(value: Any, name: str, ways: Ways) -> str:
    known = ways.maps.get(name, {})
    own = conversions.text(value) if not isinstance(value, bool) else str(value).lower()
    found = known.get(own, known.get("*"))
    if found is None:
        raise Unfit(f"'{own[:80]}' is not in the map {name}")
    return found


def _calculated(value: Any, name: str, other: Any, ways: Ways) -> Any:
    if name == "times":
        product = conversions.yuan(value) * conversions.quantity(other)
        return product.quantize(Decimal("0.01"), ROUND_HALF_UP)
    amount = conversions.CONVERSIONS[ways.money](other)
    base = conversions.yuan(value)
    return base - amount if name == "minus" else base + amount
