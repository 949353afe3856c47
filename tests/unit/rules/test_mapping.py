"""Field maps, conditions and runs: total, pure, and named when they fail."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.rules import ruleset, trial
from hub.rules.facts import HOPS_MAX
from hub.rules.ruleset import Deciding, Ruleset
from tests.unit.rules.orders import compiled, fact, written

pytestmark = pytest.mark.unit
EVERYTHING = """
rule: everything
trigger: {events: [order.placed]}
when:
  - {field: data.order_number, op: exists}
  - any:
      - {field: data.total, op: gte, value: "0.00", type: money}
      - {field: data.total, op: starts_with, value: x}
      - not: {cel: "data.lines.exists(l, l.sku == 'x')"}
tables:
  places: {xuhui: X1}
map:
  - {target: number, from: data.order_number}
  - {target: fen, from: data.total, type: money, output: minor}
  - {target: yuan, from: data.total, type: money, source: minor}
  - {target: place, lookup: {table: places, key: data.place, otherwise: X0}}
  - {target: phone, from: data.recipient.phone, type: phone, on_missing: skip, on_null: skip}
  - {target: member, from: data.buyer.account, type: member}
  - {target: at, from: event.time, type: time, on_missing: default, default: none}
  - {target: note, template: "{{data.order_number}}/{{data.place}}"}
  - {target: count, computed: data.lines.size(), type: integer}
  - {target: flag, from: "data.lines[0].made_to_order", type: boolean, required: false}
  - target: lines
    from: data.lines
    type: list
    items:
      - {target: sku, from: item.sku}
      - {target: change, from: item.quantity, type: quantity, mode: delta}
actions:
  - {do: deliver, id: send, to: website}
  - {do: wait, id: pause, seconds: 60}
  - do: publish
    id: tell
    to: thanks
    with: [{target: member, from: data.buyer.account, type: member}]
"""
_TEXTS = st.text(max_size=30) | st.sampled_from(["1.50", "-3", "xuhui", "13912345678", "x" * 5_000])
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS
_NAMES = st.sampled_from(["sku", "quantity", "from", "account", "phone", "made_to_order", "z"])
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ["order_number", "total", "lines", "place", "recipient", "buyer", "pickup", "currency"]


@pytest.fixture(scope="module")
def everything() -> Ruleset:
    return Ruleset([compiled(EVERYTHING)])


def test_an_order_is_mapped_with_its_types_converted(everything: Ruleset) -> None:
    (run,) = ruleset.run(everything, fact(total="191"))
    send, tell = run.effects
    assert run.status == "done"
    assert send.body["fen"] == 19100
    assert send.body["yuan"] == "1.91"
    assert send.body["place"] == "X1"
    assert send.body["phone"] == "+8613912345678"
    assert send.body["lines"][1] == {"sku": "candle-number-8", "change": "2.000"}
    assert send.modes == {"lines.change": "delta"}
    assert (send.after_s, tell.after_s) == (0, 60)


@settings(max_examples=200, deadline=None)
@given(data=st.dictionaries(st.sampled_from(_FIELDS), _VALUES))
def test_mapping_is_total_a_result_or_a_named_error_for_any_input(
    everything: Ruleset, data: dict[str, object]
) -> None:
    (run,) = ruleset.run(everything, msgspec.structs.replace(fact(), data=data))
    if run.status == "failed":
        assert all(one.path.startswith("$.") and one.code for one in run.failures)
        assert run.effects == ()
    else:
        assert not run.failures


@settings(max_examples=200, deadline=None)
@given(data=st.dictionaries(st.sampled_from(_FIELDS), _VALUES))
def test_what_many_rules_decide_is_what_each_makes_of_it_alone(data: dict[str, object]) -> None:
    """The worker's way over all rules at once, which reads each field once and counts who skips."""
    whens = [
        "[{field: data.total, op: gt, value: '10', type: money}]",
        "[{field: data.total, op: eq, value: x}]",
        "[{field: data.total, op: ne, value: '1.50', type: money}]",
        "[{field: data.place, op: eq, value: xuhui}]",
        "[{cel: 'data.lines.size() > 1'}, {field: data.lines, op: exists}]",
        "[{cel: 'data.place.startsWith(\"x\")'}]",
    ]
    rules = [compiled(EVERYTHING)]
    rules += [compiled(written(f"rule-{i}", when=when)) for i, when in enumerate(whens)]
    given_fact = msgspec.structs.replace(fact(), data=data)
    deciding = Deciding(Ruleset(rules))
    runs = deciding.runs(given_fact)
    alone = [run for rule in rules for run in ruleset.run(Ruleset([rule]), given_fact)]
    assert runs == [run for run in alone if run.status != "skipped"]
    # Whom the index of values left out never ran at all.
    skipped = {(r.rule, r.version): 1 for r in alone if r.status == "skipped"}
    assert deciding.skipped == skipped


def test_effects_are_named_by_rule_version_event_and_action() -> None:
    one, two = compiled(written(), 1), compiled(written(), 2)
    first, again = (ruleset.run(Ruleset([one]), fact())[0].effects[0] for _ in range(2))
    newer = ruleset.run(Ruleset([two]), fact())[0].effects[0]
    assert first == again
    assert first.effect_id != newer.effect_id


def test_a_field_that_fails_names_its_place_and_nothing_is_done() -> None:
    rule = compiled(written(map="[{target: n, from: data.total, type: integer}]"))
    (run,) = ruleset.run(Ruleset([rule]), fact(total="1.5"))
    assert run.status == "failed"
    assert run.effects == ()
    assert [(one.path, one.code) for one in run.failures] == [("$.map[0]", "not_a_number")]


def test_the_reason_of_a_failure_holds_no_value_of_a_person() -> None:
    rule = compiled(written(map="[{target: p, from: data.recipient.phone, type: phone}]"))
    (run,) = ruleset.run(Ruleset([rule]), fact(recipient={"name": "a", "phone": "139-not"}))
    assert "139" not in run.failures[0].reason


def test_rules_are_found_by_type_channel_and_equality() -> None:
    by_value = compiled(written("by-value", when="[{field: data.place, op: eq, value: xuhui}]"))
    other = compiled(written("other", when="[{field: data.place, op: eq, value: pudong}]"))
    channel = compiled(written("channel", trigger="{events: [order.placed], channels: [website]}"))
    rules = Ruleset([by_value, other, channel])
    assert [rule.name for rule in rules.concerned(fact(place="xuhui"))] == ["by-value"]
    assert [rule.name for rule in rules.concerned(fact(channel="website"))] == [
        "by-value",
        "channel",
    ]
    assert rules.concerned(fact("coupon.issued")) == []


def test_the_first_branch_that_holds_is_taken() -> None:
    branches = (
        "[{name: big, when: [{field: data.total, op: gte, value: '100', type: money}],"
        " actions: [{do: deliver, id: big, to: a}]},"
        " {name: rest, actions: [{do: deliver, id: rest, to: b}]}]"
    )
    rules = Ruleset([compiled(written(actions="[]", branches=branches))])
    taken = [ruleset.run(rules, fact(total=t))[0].effects[0].to for t in ("100.00", "99.99")]
    assert taken == ["a", "b"]


def test_rules_in_a_circle_are_stopped_by_the_number_of_hops() -> None:
    rules = Ruleset([compiled(written())])
    last = msgspec.structs.replace(fact(), hops=HOPS_MAX - 1)
    assert ruleset.run(rules, last)[0].effects[0].hops == HOPS_MAX
    beyond = msgspec.structs.replace(fact(), hops=HOPS_MAX)
    assert ruleset.run(rules, beyond)[0].failures[0].code == "too_many_hops"


def test_each_step_shows_its_input_and_output_when_asked() -> None:
    rule = compiled(written(when="[{cel: data.lines.size() == 2}]"))
    (run,) = ruleset.run(Ruleset([rule]), fact(), trace=True)
    assert [(step.path, step.kind) for step in run.steps] == [
        ("$.when", "condition"),
        ("$.map", "map"),
        ("$.actions[0]", "deliver"),
    ]
    assert run.steps[0].output is True
    assert run.steps[1].output == {"number": fact().subject}


@settings(max_examples=50, deadline=None)
@given(totals=st.lists(st.sampled_from(["5.00", "50.00", "x"]), max_size=8))
def test_a_dry_run_on_a_fixed_state_predicts_the_live_effects_exactly(totals: list[str]) -> None:
    when = "[{field: data.total, op: gt, value: '10', type: money}]"
    old = compiled(written(), 1)
    new = compiled(written(when=when), 2)
    facts = [msgspec.structs.replace(fact(total=t), key=str(i)) for i, t in enumerate(totals)]
    tried = trial.dry_run(new, old, facts)
    live = [effect for one in facts for effect in ruleset.run(Ruleset([new]), one)[0].effects]
    assert tried.created + tried.changed + tried.same == len(live) == totals.count("50.00")
    assert tried.dropped == len(totals) - len(live)


def test_a_dry_run_shows_what_the_draft_would_do_otherwise() -> None:
    old = compiled(written(), 1)
    new = compiled(written(map="[{target: number, from: event.id}]"), 2)
    tried = trial.dry_run(new, old, [fact()])
    assert (tried.changed, tried.same) == (1, 0)
    (change,) = tried.changes
    assert change.live is not None
    assert change.draft is not None
    assert change.live["body"] == {"number": fact().subject}
    assert change.draft["body"] == {"number": fact().id}
