"""Expressions that try to get out or to take all there is are refused, or stopped in time."""

import os
import subprocess
import sys

import pytest

from hub.rules import expressions
from hub.rules.expressions import ExpressionFailed
from hub.rules.problems import RuleInvalid

pytestmark = pytest.mark.unit
TYPES = ["order.placed"]
MEMORY_BYTES_MAX = 1024**3
HUNDREDS = list(range(900))


def refused(source: str) -> str:
    with pytest.raises(RuleInvalid) as caught:
        expressions.compile_checked(source, TYPES, "$.when[0].cel", (7, 3))
    assert caught.value.problems[0].path == "$.when[0].cel"
    assert caught.value.problems[0].line >= 7
    return caught.value.problems[0].code


def stopped(source: str, **data: object) -> str:
    expression = expressions.compile_checked(source, [])
    with pytest.raises(ExpressionFailed) as caught:
        expressions.evaluate(expression, expressions.activation({}, data))
    return caught.value.code


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("data.__class__ == 'x'", "unknown_field"),
        ("__import__('os') == 1", "cel"),
        ("pow(9, 999999999) > 1", "cel"),
        ("9 ** 9 > 1", "cel"),
        ("data.currency.matches(data.total)", "cel_pattern"),
        (f"data.total.matches('{'(a+)+' * 60}')", "cel_pattern"),
        ("data.lines.map(a, data.lines.map(b, data.lines.map(c, 1))).size() > 0", "cel_nested"),
        ("data.lines.map(a, data.lines.map(b, b.sku)).size() > 0", "cel_nested"),
        ("data.lines.map(a, a.sku + a.sku).size() > 0", "cel_concatenation"),
        ("data.lines.exists(a, (data.total + data.total) == 'x')", "cel_concatenation"),
        (" + ".join(["data.total"] * 12) + " == 'x'", "cel_concatenation"),
        ("(" * 100 + "true" + ")" * 100, "cel"),
        ("data.lines.exists(a, data.lines.exists(b, a.sku < b.sku))", "cel_nested"),
        ("data.lines.exists(a, data.lines.size() > 1)", "cel_nested"),
        ("data.lines.map(a, a.discounts.map(d, d.kind)).size() > 0", "cel_nested"),
        ("true || " * 400 + "true", "too_large"),
        ("data.lines.size() ==\n  nothing", "cel"),
    ],
)
def test_an_escape_is_refused_when_saved_with_its_place(source: str, code: str) -> None:
    assert refused(source) == code


@pytest.mark.parametrize(
    ("source", "data", "code"),
    [
        ("1 / data.n == 1", {"n": 0}, "divided_by_zero"),
        ("data.n * data.n > 1", {"n": 2**62}, "number_too_large"),
        ("data.a.exists(x, x < 0)", {"a": HUNDREDS * 20}, "budget_exceeded"),
        ("data.t == 'x'", {"t": "x" * 1_000_000}, "input_too_large"),
        ("data.a.size() > 1", {"a": list(range(1_000_000))}, "input_too_large"),
        ("data.n > 1", {"n": 10**30}, "number_too_large"),
        ("data.missing == 'x'", {}, "field_missing"),
        ("data.t > 3", {"t": "x"}, "expression_failed"),
        ("money(data.t) > 3", {"t": "9" * 4_000}, "expression_failed"),
        ("data.a.map(x, x)", {"a": HUNDREDS * 2}, "result_too_large"),
    ],
)
def test_an_escape_is_stopped_within_the_budget(
    source: str, data: dict[str, object], code: str
) -> None:
    assert stopped(source, **data) == code


def test_nothing_that_was_saved_can_take_the_memory() -> None:
    tries = (
        "import sys, resource\n"
        "from hub.rules import expressions as e\n"
        f"resource.setrlimit(resource.RLIMIT_AS, ({MEMORY_BYTES_MAX}, {MEMORY_BYTES_MAX}))\n"
        "data = {'a': list(range(9000)), 's': 'a' * 4000, 'b': ['a' * 4000] * 60}\n"
        "for s in ['data.a.map(x, data.s)', 'data.b.filter(x, x.matches(\"(a+)+$\")).size() > 1',\n"
        "          'data.b.exists(x, data.b.exists(y, x < y))', 'data.a.map(x, {1: [x]})']:\n"
        "    try:\n"
        "        e.evaluate(e.compile_checked(s, []), e.activation({}, data))\n"
        "    except e.HubError as failed:\n"
        "        print(type(failed).__name__)\n"
        "print('alive')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", tries],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["alive"], done.stderr[-2000:]


def test_a_deep_document_is_named_not_followed() -> None:
    deep: object = "x"
    for _ in range(500):
        deep = {"a": deep}
    assert stopped("data.n == 1", n=1, deep=deep) == "input_too_large"
