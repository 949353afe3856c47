"""The document of a rule: what is refused when it is saved, where, and in which words."""

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import msgspec
import pytest

from hub.rules import checking, document, reference, text
from hub.rules.problems import RuleInvalid
from tests.unit.rules.orders import written

pytestmark = pytest.mark.unit
TEMPLATES = sorted((Path(str(files("hub.rules"))) / "templates").glob("*.yaml"))


def problems(rule: str) -> list[tuple[str, str]]:
    with pytest.raises(RuleInvalid) as caught:
        checking.check(rule)
    return [(one.code, one.path) for one in caught.value.problems]


def test_the_published_schema_is_that_of_the_document() -> None:
    published = files("hub.rules").joinpath("rule.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == document.schema()


def test_the_reference_page_is_current() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), (
        "run python -m hub.rules.reference"
    )


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_templates_fit_the_schema_pass_the_check_and_round_trip(template: Path) -> None:
    rule = checking.check(template.read_text(encoding="utf-8")).rule
    assert rule.rule == template.stem
    plain = document.plain(rule)
    jsonschema.validate(plain, document.schema())
    again, _ = document.parse(text.write(plain))
    assert again == rule
    assert document.parse(msgspec.json.encode(plain).decode())[0] == rule


def test_a_problem_names_line_and_column_and_what_to_do_in_both_languages() -> None:
    rule = (
        "rule: r\ntrigger:\n  events: [order.plased]\nactions:\n  - {do: wait, id: w, seconds: 1}\n"
    )
    with pytest.raises(RuleInvalid) as caught:
        checking.check(rule)
    (wrong,) = caught.value.problems
    assert (wrong.line, wrong.column) == (3, 12)
    assert "order.placed" in wrong.en
    assert "order.placed" in wrong.zh
    assert "没有事件" in wrong.zh


@pytest.mark.parametrize(
    ("rule", "code", "path"),
    [
        (written(map="[{target: a, from: data.totl}]"), "unknown_field", "$.map[0].from"),
        (written(map="[{target: a, from: data.total, constant: 1}]"), "one_source", "$.map[0]"),
        (written(map="[{target: a}]"), "one_source", "$.map[0]"),
        (
            written(map="[{target: a, from: event.id}, {target: a.b, from: event.id}]"),
            "same_target",
            "$.map[1].target",
        ),
        (
            written(map="[{target: a, from: data.total, type: quantity}]"),
            "mode_missing",
            "$.map[0]",
        ),
        (
            written(map="[{target: a, lookup: {table: t, key: event.id}}]"),
            "unknown_table",
            "$.map[0].lookup.table",
        ),
        (written(map='[{target: a, template: "{{data.nope}}"}]'), "unknown_field", None),
        (written(map='[{target: a, template: "{% if 1 %}"}]'), "template", None),
        (written(map="[{target: a, from: event.id, zone: Mars/One}]"), "zone", None),
        (written(when="[{field: data.total, op: gt, value: x, type: money}]"), "operand", None),
        (written(when="[{field: data.total, cel: 'true'}]"), "condition", "$.when[0]"),
        (written(when="[{cel: data.total}]"), None, None),
        (written(when="[{cel: data.total > 3}]"), "cel_number_text", "$.when[0].cel"),
        (written(when="[{cel: data.lines.size()}]"), "cel_type", "$.when[0].cel"),
        (written(actions="[{do: adjust_points, id: p}]"), "action_lacks", "$.actions[0]"),
        (written(actions="[{do: call, id: c, to: 'http://10.0.0.1'}]"), "address", None),
        (written(actions="[]"), "nothing_to_do", "$"),
        (written(trigger="{}"), "trigger", "$.trigger"),
        (written() + "role: admin\n", "shape", "$"),
        (written() + "rule: again\n", "duplicate_key", "$"),
        ("rule: &a x\ntrigger: *a\n", "alias", None),
        ("rule: [\n", "syntax", "$"),
        ("", "syntax", "$"),
        ("x: " + "[" * 60 + "]" * 60, "too_deep", "$"),
        ("rule: " + "x" * 1_000_000, "too_large", "$"),
    ],
)
def test_what_is_wrong_is_refused_when_saved(rule: str, code: str | None, path: str | None) -> None:
    if code is None:
        checking.check(rule)
        return
    found = problems(rule)
    assert code in [one for one, _ in found]
    if path is not None:
        assert (code, path) in found


def test_values_of_yaml_mean_what_json_means() -> None:
    source = text.read("a: yes\nb: 09:30\nc: 2026-01-01\nd: 1.50\ne: '1'\nf: 10\ng: null\n")
    assert source.value == {
        "a": "yes",
        "b": "09:30",
        "c": "2026-01-01",
        "d": 1.5,
        "e": "1",
        "f": 10,
        "g": None,
    }
    assert text.read(text.write(source.value)).value == source.value
