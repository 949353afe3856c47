"""All rules that are in force at once: which of them a fact concerns, and what they make of it.

Found by type, channel, and one equality that a rule demands, so rules that do not match cost
nothing. CEL conditions of the rest share one activation.
"""

from collections.abc import Collection, Iterable
from typing import Any

from hub.rules import fields, running
from hub.rules.checking import Checked
from hub.rules.facts import Fact, Run
from hub.rules.running import Compiled

_Steps = tuple[fields.Step, ...]


class _Bucket:
    """The rules of one type of event in one channel."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self._always: list[Compiled] = []
        self._by_value: dict[_Steps, dict[Any, list[Compiled]]] = {}
        for rule in rules:
            equality = _equality(rule.checked)
            if equality is None:
                self._always.append(rule)
            else:
                steps, value = equality
                self._by_value.setdefault(steps, {}).setdefault(value, []).append(rule)

    def matching(self, fact: Fact, event: dict[str, str]) -> list[Compiled]:
        found = list(self._always)
        for steps, by_value in self._by_value.items():
            root = event if steps[0] == "event" else fact.data
            value = fields.value_at(root, steps[1:])
            if isinstance(value, str):
                found += by_value.get(value, ())
        return found


class Ruleset:
    """The versions that are in force. Compiled and indexed once."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._by_type: dict[str, list[Compiled]] = {}
        for rule in self.rules.values():
            for event_type in rule.checked.rule.trigger.events:
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
        return sorted(bucket.matching(fact, fact.event()), key=lambda rule: rule.name)


def run(ruleset: Ruleset, fact: Fact, *, trace: bool = False) -> list[Run]:
    """What the rules make of a fact; those it does not concern are left out."""
    rules = ruleset.concerned(fact)
    if not rules:
        return []
    context = running.context_of(fact)
    return [running.run(rule, fact, context, trace=trace) for rule in rules]


def _is_of(rule: Compiled, channel: str) -> bool:
    channels = rule.checked.rule.trigger.channels
    return not channels or channel in channels


def _equality(checked: Checked) -> tuple[_Steps, str] | None:
    """A field and the text that it must be for the rule to do anything."""
    for condition in checked.rule.when:
        is_text = condition.type == "text" and isinstance(condition.value, str)
        if condition.op == "eq" and condition.field is not None and is_text:
            steps = fields.steps(condition.field)
            if fields.EACH not in steps:
                return steps, condition.value
    return None
