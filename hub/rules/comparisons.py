"""Comparisons of one place of a fact with a constant: what an index over many rules can look up.

A condition or CEL expression that says no more, or that also says it, is known to be false without
being asked. Of CEL only values are judged of whose kind there is no doubt: for any other, which may
be an error, the expression itself is asked (UNSURE).
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import Any

from msgspec import Struct

from hub.domain import money
from hub.domain.money import BadNumber
from hub.rules import fields, readings, syntax
from hub.rules.document import Condition
from hub.rules.expressions import Expression
from hub.rules.readings import Context, Conversion, Reading
from hub.rules.syntax import Node

INCOMPARABLE: Any = type("Incomparable", (), {"__repr__": lambda self: "INCOMPARABLE"})()
"""What stands there is not of the comparison's type: no comparison with it holds."""
UNSURE: Any = type("Unsure", (), {"__repr__": lambda self: "UNSURE"})()
"""Only the expression itself can say."""
_ORDERED = {"_>_": "gt", "_>=_": "gte", "_<_": "lt", "_<=_": "lte"}
_TURNED = {"eq": "eq", "gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}
_FUNCTIONS = {"money", "quantity", "size"}


class Comparison(Struct, frozen=True):
    """That a reading compares with a constant. values: one, or those of which it equals any.
    is_all: whether it is all that the condition says."""

    reading: Reading
    op: str
    values: tuple[Any, ...]
    is_all: bool = True


def comparable(value: Any, kind: str) -> Any:
    """A value as comparisons of this type see it. ValueError if it is none."""
    try:
        if kind == "money":
            return money.parse_decimal(str(value), money.QUANTITY_DIGITS)
        if kind == "quantity":
            return money.milli(str(value))
        if kind == "time":
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None:
                raise ValueError("no zone")
            return moment
    except (BadNumber, TypeError) as bad:
        raise ValueError(str(bad)) from None
    return value


def reading(field: str, kind: str) -> Reading:
    """What stands at a field as comparisons of this type see it, or INCOMPARABLE."""
    return readings.judged(fields.steps(field), _judge(kind))


def of_condition(condition: Condition, cel: Expression | None) -> Comparison | None:
    """What a condition demands of one place, if that can be looked up. cel: its expression."""
    if cel is not None:
        return _of_node(syntax.read(cel.program.serialize()).root)
    if condition.field is None or condition.op not in ("eq", "in", *_TURNED):
        return None
    wanted = condition.value if condition.op == "in" else [condition.value]
    values = tuple(comparable(one, condition.type) for one in wanted)
    op = "eq" if condition.op == "in" else condition.op
    return _looked_up(Comparison(reading(condition.field, condition.type), op, values))


@cache
def _judge(kind: str) -> Conversion:
    def judge(value: Any) -> Any:
        try:
            return comparable(value, kind)
        except ValueError:
            return INCOMPARABLE

    return judge


def class_of(value: Any) -> str | None:
    """Values of one class have an order; None for what has none that could be looked up."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, (int, float)):
        return "number" if value == value else None  # NaN has no order
    return "time" if isinstance(value, datetime) else None


def _looked_up(found: Comparison) -> Comparison | None:
    is_known = all(one is None or class_of(one) is not None for one in found.values)
    if found.op != "eq":
        is_known = is_known and found.values[0] is not None
    return found if is_known else None


def _of_node(node: Node) -> Comparison | None:
    if node.kind != "call":
        return None
    if node.name == "_&&_":
        # False and an error are false: one side that is false decides.
        for side in node.children:
            found = _of_node(side)
            if found is not None:
                return Comparison(found.reading, found.op, found.values, is_all=False)
        return None
    if node.name == "@in":
        return _any_of(*node.children)
    op = "eq" if node.name == "_==_" else _ORDERED.get(node.name)
    if op is None:
        return None
    one, other = node.children
    return _compared(one, op, other) or _compared(other, _TURNED[op], one)


def _any_of(one: Node, many: Node) -> Comparison | None:
    values = [item.value for item in many.children]
    is_texts = many.kind == "list" and all(isinstance(value, str) for value in values)
    steps = _steps(one)
    if not is_texts or steps is None:
        return None
    return Comparison(_sure(steps, str), "eq", tuple(values))


def _compared(one: Node, op: str, other: Node) -> Comparison | None:
    value = _constant(other)
    if value is None or (isinstance(value, bool) and op != "eq"):
        return None
    if one.kind == "call" and one.name in _FUNCTIONS and one.children:
        steps = _steps(one.children[0])
        read = _function(one)
        if steps is None or read is None or type(value) is not int:
            return None
        return Comparison(_surely(steps, read), op, (value,))
    steps = _steps(one)
    return None if steps is None else Comparison(_sure(steps, type(value)), op, (value,))


def _constant(node: Node) -> Any:
    """Text, boolean or whole number that a node is, or None."""
    if node.kind == "call" and node.name in ("money", "quantity"):
        read = _function(node)
        texts = [one.value for one in node.children[:1] if one.kind == "const"]
        found = read(texts[0]) if read is not None and texts else UNSURE
        return None if found is UNSURE else found
    value = node.value if node.kind == "const" else None
    # The tree has negative numbers as those of 64 bits without a sign.
    is_number = type(value) is int and value < 2**63
    return value if is_number or isinstance(value, (str, bool)) else None


def _function(node: Node) -> Conversion | None:
    """What a call of a known function makes of its first argument; None if it has others that are
    no constants."""
    more = [one.value if one.kind == "const" else None for one in node.children[1:]]
    if not all(isinstance(one, str) for one in more):
        return None
    if node.name == "size":
        return _size if not more else None
    if node.name == "quantity":
        return _milli if not more else None
    return _minor(*more) if len(more) < 2 else None


def _steps(node: Node) -> tuple[fields.Step, ...] | None:
    """The path that selects spell, or None."""
    if node.kind == "ident" and node.name in ("event", "data"):
        return (node.name,)
    if node.kind != "select" or node.value:  # `has(data.x)` is a select as well
        return None
    above = _steps(node.children[0])
    return None if above is None else (*above, node.name)


def _sure(steps: tuple[fields.Step, ...], kind: type) -> Reading:
    return _surely(steps, _is(kind))


@cache
def _is(kind: type) -> Conversion:
    return lambda value: value if type(value) is kind else UNSURE


def _size(value: Any) -> Any:
    return len(value) if isinstance(value, (list, str)) else UNSURE


def _milli(value: Any) -> Any:
    return _number(value, money.milli)


@cache
def _minor(currency: str = "CNY") -> Conversion:
    return partial(_number, read=lambda value: money.minor(value, currency))


def _number(value: Any, read: Callable[[str], int]) -> Any:
    try:
        return read(value) if isinstance(value, str) else UNSURE
    except BadNumber:
        return UNSURE


@lru_cache(readings.READINGS_MAX)
def _surely(steps: tuple[fields.Step, ...], convert: Conversion) -> Reading:
    judged = readings.judged(steps, convert)

    def read(context: Context) -> Any:
        return judged(context) if context.is_within_bounds else UNSURE

    return read


def first_of(
    wanted: Sequence[Condition], cels: dict[str, Expression], path: str
) -> Comparison | None:
    """What the first of these conditions demands, if it can be looked up: where that is false,
    none of those behind it is asked."""
    if not wanted:
        return None
    return of_condition(wanted[0], cels.get(f"{path}[0].cel"))
