"""All rules that are in force at once: which of them a fact concerns, and what they make of it.

Found by type, channel, and one equality that a rule demands, so rules that do not match cost
nothing. CEL conditions of the rest share one activation.
"""

from collections.abc import Collection, Iterable
from typing import Any

from hub.rules import fields, running
from hub.rules.checking import Checked
from hub.rules.expressions import ExpressionFailed
from hub.rules.facts import Fact, Run
from hub.rules.running import Compiled

_Steps = tuple[fields.Step, ...]


class _Bucket:
    """The rules of one type of event in one channel."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self._always: list[Compiled] = []
        self._by_value: dict[_Steps, dict[Any, list[Compiled]]] = {}
        for rule in sorted(rules, key=_name):
            equality = _equality(rule.checked)
            if equality is None:
                self._always.append(rule)
            else:
                steps, value = equality
                self._by_value.setdefault(steps, {}).setdefault(value, []).append(rule)

    def matching(self, fact: Fact) -> list[Compiled]:
        """Those that the fact may start, by name."""
        found: list[Compiled] = []
        for steps, by_value in self._by_value.items():
            root = fact.event() if steps[0] == "event" else fact.data
            value = fields.value_at(root, steps[1:])
            if isinstance(value, str):
                found += by_value.get(value, ())
        return sorted([*self._always, *found], key=_name) if found else self._always


def _name(rule: Compiled) -> str:
    return rule.name


class Ruleset:
    """The versions that are in force. Compiled and indexed once."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._by_type: dict[str, list[Compiled]] = {}
        for rule in self.rules.values():
            for event_type in rule.checked.rule.trigger.types:
                self._by_type.setdefault(event_type, []).append(rule)

    @property
    def types(self) -> Collection[str]:
        """The types of facts that any rule may be started by."""
        return self._by_type.keys()

    def concerned(self, fact: Fact) -> list[Compiled]:
        """The rules that this fact may start, by name."""
        of_type = self._by_type.get(fact.type)
        if of_type is None:
            return []
        bucket = self._buckets.get((fact.type, fact.channel))
        if bucket is None:
            bucket = _Bucket(rule for rule in of_type if _is_of(rule, fact.channel))
            self._buckets[fact.type, fact.channel] = bucket
        return bucket.matching(fact)


def run(ruleset: Ruleset, fact: Fact, *, trace: bool = False) -> list[Run]:
    """What the rules make of a fact; those it does not concern are left out."""
    rules = ruleset.concerned(fact)
    if not rules:
        return []
    context = running.context_of(fact)
    return [running.run(rule, fact, context, trace=trace) for rule in rules]


def decide(ruleset: Ruleset, fact: Fact) -> tuple[list[Run], list[Compiled]]:
    """The same for many facts: runs that did something or failed, and the rules that skipped.

    Most rules skip most facts, so what only they would need is not made.
    """
    rules = ruleset.concerned(fact)
    if not rules:
        return [], []
    context = running.context_of(fact)
    runs: list[Run] = []
    skipped: list[Compiled] = []
    for rule in rules:
        try:
            is_tested = rule.test(context)
        except ExpressionFailed:
            runs.append(running.run(rule, fact, context))
            continue
        if not is_tested:
            skipped.append(rule)
            continue
        run = running.run(rule, fact, context, is_tested=True)
        if run.status == "skipped":
            skipped.append(rule)
        else:
            runs.append(run)
    return runs, skipped


def _is_of(rule: Compiled, channel: str) -> bool:
    channels = rule.checked.rule.trigger.channels
    return not channels or channel in channels


def _equality(checked: Checked) -> tuple[_Steps, str] | None:
    """A field and the text that it must be for the rule to do anything."""
    if checked.rule.trigger.schedule is not None:
        return ("data", "rule"), checked.rule.rule
    for condition in checked.rule.when:
        is_text = condition.type == "text" and isinstance(condition.value, str)
        if condition.op == "eq" and condition.field is not None and is_text:
            steps = fields.steps(condition.field)
            if fields.EACH not in steps:
                return steps, condition.value
    return None
