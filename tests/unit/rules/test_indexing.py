"""What an index over many rules leaves out, or knows to hold, is what each rule says alone."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules import comparisons, document, expressions, running
from hub.rules.checking import Checked
from hub.rules.document import Condition
from hub.rules.problems import RuleInvalid
from hub.rules.ruleset import Deciding, Ruleset
from hub.rules.running import Compiled
from tests.unit.rules.orders import fact

pytestmark = pytest.mark.unit
_PATHS = ("data.total", "data.currency", "data.lines", "data.buyer.account", "data.place")
_TEXTS = ("", "1", "10", "9.50", "-3", "x", "é", "\U0001f600", "｡", "x" * 5_000)
_NUMBERS = (0, 1, 2, 9, 10, 950, 1000, 2**63 - 1)
_RULE = {
    "trigger": {"events": ["order.placed"]},
    "map": [{"target": "number", "from": "event.subject"}],
    "actions": [{"do": "deliver", "id": "send", "to": "website"}],
}
_THERE = {"field": "data.total", "op": "exists"}
_OPS = (">", ">=", "<", "<=", "==", "!=")


@st.composite
def _cels(draw: st.DrawFn) -> str:
    """Expressions of the forms that are looked up, and such as look alike."""
    path = draw(st.sampled_from(_PATHS))
    number = draw(st.sampled_from(_NUMBERS))
    text = msgspec.json.encode(draw(st.sampled_from(_TEXTS[:-1]))).decode()
    op = draw(st.sampled_from(_OPS))
    read = draw(
        st.sampled_from(
            [
                *(path, f"size({path})", f"{path}.size()", f"money({path})", f"quantity({path})"),
                *(f"money({path}, 'JPY')", f"has({path})", f"int({path})", f"string({path})"),
            ]
        )
    )
    constants = [str(number), f"-{number}", f"{number}u", f"{number}.0", text, "true", "null"]
    constants += [f"money({text})", "quantity('2')", f"size({text})"]
    constant = draw(st.sampled_from(constants))
    comparison = draw(
        st.sampled_from(
            [
                f"{read} {op} {constant}",
                f"{constant} {op} {read}",
                f"{read} in [{constant}, {text}]",
            ]
        )
    )
    other = draw(st.sampled_from(_PATHS))
    form = draw(
        st.sampled_from(["{0}", "{0} && {1} == 'x'", "{1} == 1 && {0}", "{0} || {1} == 'x'"])
    )
    return form.format(f"({comparison})", other)


_VALUES = (
    st.sampled_from([*_TEXTS, *_NUMBERS, 2**63, -1, 0.5, 10.0, True, False, None])
    | st.lists(st.sampled_from(["x", 1]), max_size=12)
    | st.dictionaries(st.sampled_from(["account", "x"]), st.sampled_from(_TEXTS), max_size=2)
)
_DATA = st.dictionaries(
    st.sampled_from(["total", "currency", "lines", "buyer", "place"]), _VALUES, max_size=5
)


@st.composite
def _compared(draw: st.DrawFn) -> dict[str, Any]:
    """Compared fields as documents say them."""
    kind = draw(st.sampled_from(["text", "money", "quantity", "time"]))
    op = draw(st.sampled_from(["eq", "ne", "in", "gt", "gte", "lt", "lte", "exists"]))
    values: list[Any] = ["1", "10", "9.50", "-3"]
    if kind == "text":
        values = [*_TEXTS[:-1], 1, 10, 0.5, True, None, [], ["x"]]
    elif kind == "time":
        values = ["2026-03-01T10:00:00+08:00", "2026-03-01T02:00:00Z"]
    value = draw(st.sampled_from(values))
    said: dict[str, Any] = {"field": draw(st.sampled_from(_PATHS)), "op": op, "type": kind}
    said["value"] = [value] if op == "in" else value
    return said


def _unchecked(name: str, *when: dict[str, Any]) -> Compiled:
    """A rule whose conditions may read what no event has: the engine must bear anything."""
    said = msgspec.json.encode({**_RULE, "rule": name, "when": when}).decode()
    rule, source = document.parse(said)
    cels = {
        f"$.when[{i}].cel": expressions.compile_checked(one["cel"], [])
        for i, one in enumerate(when)
        if "cel" in one
    }
    return running.compile_rule(Checked(rule, source, cels), 1)


def _same(data: dict[str, Any], *whens: list[dict[str, Any]]) -> None:
    """That all rules at once decide what each says that is asked without any index."""
    rules = [_unchecked(f"rule-{i:02}", *when) for i, when in enumerate(whens)]
    known = msgspec.structs.replace(fact(), data=data)
    alone = [running.run(rule, known, running.context_of(known)) for rule in rules]
    deciding = Deciding(Ruleset(rules))
    assert deciding.runs(known) == [run for run in alone if run.status != "skipped"]
    # Equal text is demanded: whom it leaves out is not concerned at all, as before.
    skipped = {(run.rule, 1) for run in alone if run.status == "skipped"}
    assert set(deciding.skipped) <= skipped
    assert all(count == 1 for count in deciding.skipped.values())


@settings(max_examples=200, deadline=None)
@given(sources=st.lists(_cels(), min_size=1, max_size=4), data=_DATA)
def test_what_is_looked_up_of_cel_is_what_cel_says(
    sources: list[str], data: dict[str, Any]
) -> None:
    known = [{"cel": source} for source in sources if _compiles(source)]
    _same(data, *([one] for one in known), *([one, _THERE] for one in known), known, [])


@settings(max_examples=200, deadline=None)
@given(compared=st.lists(_compared(), min_size=1, max_size=6), data=_DATA)
def test_what_is_looked_up_of_fields_is_what_they_compare(
    compared: list[dict[str, Any]], data: dict[str, Any]
) -> None:
    _same(data, *([one] for one in compared), *([one, _THERE] for one in compared), [])


def _compiles(source: str) -> bool:
    try:
        expressions.compile_checked(source, [])
    except RuleInvalid:
        return False
    return True


@pytest.mark.parametrize(
    ("source", "is_looked_up"),
    [
        ("data.lines.size() > 2", True),
        ("2 < size(data.lines)", True),
        ("data.place == 'xuhui' && data.lines.exists(l, l.sku == 'x')", True),
        ("data.place in ['xuhui', 'pudong']", True),
        ("money(data.total) >= money('100.00')", True),
        ("has(data.place) == true", False),
        ("data.place == 'xuhui' || data.currency == 'CNY'", False),
        ("data.lines.size() > -1", False),
        ("data.total + 'x' == '1x'", False),
    ],
)
def test_forms_of_cel_that_are_looked_up(source: str, is_looked_up: bool) -> None:
    cel = expressions.compile_checked(source, [])
    found = comparisons.of_condition(Condition(cel=source), cel)
    assert (found is not None) == is_looked_up


def test_rules_that_do_not_match_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Ruleset(
        _unchecked(f"rule-{i}", {"cel": f"data.lines.size() > {i}"}) for i in range(100)
    )
    asked: list[str] = []
    monkeypatch.setattr(expressions, "evaluate", lambda cel, bound: asked.append(cel.source))
    deciding = Deciding(rules)
    runs = deciding.runs(fact())  # of two lines
    assert [run.rule for run in runs] == ["rule-0", "rule-1"]
    assert len(deciding.skipped) == 98
    assert asked == []
