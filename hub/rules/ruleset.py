"""All rules that are in force at once: which of them a fact concerns, and what they make of it.

Found by type, channel, and one equality that a rule demands; then by what their first conditions
compare (`hub.rules.indexing`), so rules that do not match cost nothing. CEL conditions of the rest
share one activation.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hub.rules import fields, running
from hub.rules.checking import Checked
from hub.rules.expressions import ExpressionFailed
from hub.rules.facts import Fact, Run
from hub.rules.indexing import Candidate, Index, in_order
from hub.rules.readings import Context
from hub.rules.running import Compiled

_Steps = tuple[fields.Step, ...]


class Bucket:
    """The rules of one type of event in one channel. always: those that demand no equality."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self.always: list[Compiled] = []
        self._by_value: dict[_Steps, dict[Any, list[Candidate]]] = {}
        indexed: list[Candidate] = []
        for order, rule in enumerate(sorted(rules, key=_name)):
            equality = _equality(rule.checked)
            if equality is None:
                self.always.append(rule)
                indexed.append(Candidate(order, rule))
            else:
                steps, value = equality
                by_value = self._by_value.setdefault(steps, {})
                by_value.setdefault(value, []).append(Candidate(order, rule))
        self._index = Index(indexed)
        self._equal = [(fields.reader(steps), one) for steps, one in self._by_value.items()]

    def demanding(self, roots: Mapping[str, Any]) -> list[Candidate]:
        """Those that demand an equality that the fact has."""
        found: list[Candidate] = []
        for read, by_value in self._equal:
            value = read(roots)
            if isinstance(value, str):
                found += by_value.get(value, ())
        return found

    def concerned(self, fact: Fact) -> list[Compiled]:
        """Those that the fact may start, by name."""
        found = self.demanding({"event": fact.event(), "data": fact.data})
        if not found:
            return self.always
        return sorted([*self.always, *(one.rule for one in found)], key=_name)

    def indexed(self, context: Context) -> list[Candidate]:
        """Those that demand no equality, and whose first condition is not known to be false."""
        return self._index.candidates(context)


def _name(rule: Compiled) -> str:
    return rule.name


class Ruleset:
    """The versions that are in force. Compiled and indexed once."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._by_type: dict[str, list[Compiled]] = {}
        for rule in self.rules.values():
            for event_type in rule.checked.rule.trigger.types:
                self._by_type.setdefault(event_type, []).append(rule)

    @property
    def types(self) -> Collection[str]:
        """The types of facts that any rule may be started by."""
        return self._by_type.keys()

    def bucket(self, fact: Fact) -> Bucket | None:
        """The rules upon its type and channel, None if no rule waits for the type."""
        found = self._buckets.get((fact.type, fact.channel))
        if found is None and fact.type in self._by_type:
            of_type = self._by_type[fact.type]
            found = Bucket(rule for rule in of_type if _is_of(rule, fact.channel))
            self._buckets[fact.type, fact.channel] = found
        return found

    def concerned(self, fact: Fact) -> list[Compiled]:
        """The rules that this fact may start, by name."""
        bucket = self.bucket(fact)
        return bucket.concerned(fact) if bucket is not None else []


def run(ruleset: Ruleset, fact: Fact, *, trace: bool = False) -> list[Run]:
    """What the rules make of a fact; those it does not concern are left out."""
    rules = ruleset.concerned(fact)
    if not rules:
        return []
    context = running.context_of(fact)
    return [running.run(rule, fact, context, trace=trace) for rule in rules]


class Deciding:
    """What the rules make of many facts: runs that did something or failed.

    Most rules skip most facts. So what only they would need is not made, and who skipped how many
    is known by counting facts, not rules.
    """

    def __init__(self, ruleset: Ruleset) -> None:
        self._ruleset = ruleset
        self._facts: Counter[Bucket] = Counter()
        self._concerned: Counter[str] = Counter()

    def runs(self, fact: Fact) -> list[Run]:
        """Runs upon the next fact, by the names of their rules."""
        bucket = self._ruleset.bucket(fact)
        if bucket is None:
            return []
        self._facts[bucket] += 1
        context = running.context_of(fact)
        demanding = bucket.demanding(context.roots)
        for one in demanding:
            self._concerned[one.rule.name] += 1
        found: list[Run] = []
        for one in sorted([*demanding, *bucket.indexed(context)], key=in_order):
            holds = one.is_tested or _holds(one.rule, context)
            if holds is False:
                continue
            run = running.run(one.rule, fact, context, is_tested=holds is True)
            if run.status != "skipped":
                self._concerned[run.rule] -= 1
                found.append(run)
        return found

    @property
    def skipped(self) -> Counter[tuple[str, int]]:
        """How many of the facts each version skipped."""
        concerned = self._concerned.copy()
        for bucket, facts in self._facts.items():
            for rule in bucket.always:
                concerned[rule.name] += facts
        versions = self._ruleset.rules
        return Counter({(n, versions[n].version): count for n, count in concerned.items() if count})


def _holds(rule: Compiled, context: Context) -> bool | None:
    """Whether its conditions hold; None if they fail."""
    try:
        return rule.test(context)
    except ExpressionFailed:
        return None


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
