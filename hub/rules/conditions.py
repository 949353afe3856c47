"""Conditions: compared fields as functions, CEL by its expression. Total: true, false, or named.

A field that is not there makes a comparison false, and `ne` and `not_in` true.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.rules import comparisons, expressions, fields
from hub.rules.comparisons import INCOMPARABLE, comparable
from hub.rules.document import Condition
from hub.rules.expressions import Expression, ExpressionFailed
from hub.rules.fields import MISSING
from hub.rules.readings import Context

Test = Callable[[Context], bool]
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
}


def compile_all(wanted: Sequence[Condition], path: str, cels: Mapping[str, Expression]) -> Test:
    """One test that holds if all of these do. cels: the checked expressions by their place."""
    tests = [_compile(one, f"{path}[{i}]", cels) for i, one in enumerate(wanted)]
    if len(tests) == 1:
        return tests[0]

    def every(context: Context) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as a comparison
            if not test(context):
                return False
        return True

    return every


def _compile(condition: Condition, path: str, cels: Mapping[str, Expression]) -> Test:
    if condition.cel is not None:
        return _cel(cels[f"{path}.cel"])
    if condition.all is not None:
        return compile_all(condition.all, f"{path}.all", cels)
    if condition.any is not None:
        tests = [_compile(one, f"{path}.any[{i}]", cels) for i, one in enumerate(condition.any)]
        return lambda context: any(test(context) for test in tests)
    if condition.not_ is not None:
        inner = _compile(condition.not_, f"{path}.not", cels)
        return lambda context: not inner(context)
    return _compared(condition)


def _cel(expression: Expression) -> Test:
    def test(context: Context) -> bool:
        found = expressions.evaluate(expression, context.bound)
        if not isinstance(found, bool):
            raise ExpressionFailed("not_a_boolean", "the condition gives neither true nor false")
        return found

    return test


def _compared(condition: Condition) -> Test:
    assert condition.field is not None
    steps, op, kind = fields.steps(condition.field), condition.op, condition.type
    if op == "exists":
        wanted_there = condition.value is not False
        at = fields.reader(steps)
        return lambda context: (at(context.roots) not in (MISSING, None)) == wanted_there
    is_many = op in ("in", "not_in")
    many = [comparable(one, kind) for one in condition.value] if is_many else []
    one = None if is_many else comparable(condition.value, kind)
    # Rules upon one event compare the same few fields: each is read once for all of them.
    read = comparisons.reading(condition.field, kind)

    def test(context: Context) -> bool:
        value = read(context)
        if value is INCOMPARABLE:
            return op in ("ne", "not_in")
        if is_many:
            return (value in many) == (op == "in")
        return _holds(op or "eq", value, one)

    return test


def _holds(op: str, value: Any, wanted: Any) -> bool:
    if op in ("eq", "ne"):
        return (value == wanted) == (op == "eq")
    if op == "starts_with":
        return isinstance(value, str) and value.startswith(wanted)
    try:
        return _ORDERED[op](value, wanted)
    except TypeError:
        return False
