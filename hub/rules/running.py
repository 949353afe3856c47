"""One version of a rule, compiled: what it makes of a fact. Pure and total.

Which rules a fact concerns: `hub.rules.ruleset`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from hub.rules import conditions, fields, mapping
from hub.rules.checking import Checked
from hub.rules.conditions import Test
from hub.rules.document import Action, Rule, actions_of
from hub.rules.expressions import Expression, ExpressionFailed
from hub.rules.facts import HOPS_MAX, Effect, Fact, Failure, Run, Step, effect_id
from hub.rules.mapping import Filler, Mapped
from hub.rules.readings import Context

ORDER_KEY_CHARS_MAX = 256


class Doing(Struct, frozen=True):
    """One compiled action. fillers: None if it is given the rule's own map, or nothing."""

    action: Action
    path: str
    fillers: tuple[Filler, ...] | None
    takes_map: bool


class Way(Struct, frozen=True):
    """One compiled branch."""

    path: str
    test: Test
    doings: tuple[Doing, ...]


class Compiled(Struct, frozen=True):
    """A version that is ready to run. has_to_wait: its effects wait for a time or a rate."""

    name: str
    version: int
    checked: Checked
    test: Test
    map: tuple[Filler, ...]
    doings: tuple[Doing, ...]
    ways: tuple[Way, ...]
    order_key: Callable[[Mapping[str, Any]], Any]
    has_to_wait: bool = False


def compile_rule(checked: Checked, version: int) -> Compiled:
    """A checked rule as functions."""
    rule, cels = checked.rule, checked.expressions

    def doings(actions: Sequence[Action], path: str) -> tuple[Doing, ...]:
        made = []
        for i, action in enumerate(actions):
            at = f"{path}[{i}]"
            own = mapping.compile_fields(action.with_, f"{at}.with", rule.tables, cels)
            takes_map = not own and action.do != "wait"
            made.append(Doing(action, at, own or None, takes_map))
        return tuple(made)

    ways = []
    for i, branch in enumerate(rule.branches):
        at = f"$.branches[{i}]"
        test = conditions.compile_all(branch.when, f"{at}.when", cels)
        ways.append(Way(at, test, doings(branch.actions, f"{at}.actions")))
    return Compiled(
        rule.rule,
        version,
        checked,
        _test(rule, cels),
        mapping.compile_fields(rule.map, "$.map", rule.tables, cels),
        doings(rule.actions, "$.actions"),
        tuple(ways),
        fields.reader(fields.steps(rule.order_key)),
        rule.rate is not None or any(one.do == "wait" for one in actions_of(rule)),
    )


def _test(rule: Rule, cels: dict[str, Expression]) -> Test:
    """Its conditions; what a schedule finds is for the rule whose schedule it is."""
    test = conditions.compile_all(rule.when, "$.when", cels)
    if rule.trigger.schedule is None:
        return test
    return lambda context: context.roots["data"].get("rule") == rule.rule and test(context)


def context_of(fact: Fact) -> Context:
    """What rules read of a fact, made once for all of them."""
    return Context({"event": fact.event(), "data": fact.data})


def run(
    rule: Compiled, fact: Fact, context: Context, *, trace: bool = False, is_tested: bool = False
) -> Run:
    """What the rule makes of the fact: effects, skipped, or failed with the place and reason.

    is_tested: its conditions are known to hold.
    """
    steps: list[Step] | None = [] if trace else None
    found = _Running(rule, fact, context, steps)
    status = found.go(is_tested=is_tested)
    return Run(
        rule.name,
        rule.version,
        fact.key,
        status,
        tuple(found.effects) if status == "done" else (),
        tuple(found.failures),
        tuple(steps or ()),
    )


class _Running:
    def __init__(
        self, rule: Compiled, fact: Fact, context: Context, steps: list[Step] | None
    ) -> None:
        self._rule, self._fact, self._context, self._steps = rule, fact, context, steps
        self._after_s = 0
        self.effects: list[Effect] = []
        self.failures: list[Failure] = []

    def go(self, *, is_tested: bool) -> Any:
        rule = self._rule
        if not is_tested and not self._holds(rule.test, "$.when"):
            return "failed" if self.failures else "skipped"
        if self._fact.hops >= HOPS_MAX:
            self._fail(
                "$", "too_many_hops", f"{HOPS_MAX} effects led here: the rules go in circles"
            )
            return "failed"
        doings = (*rule.doings, *self._chosen()) if rule.ways else rule.doings
        shared: Mapped | None = None
        for doing in doings:
            if doing.takes_map:
                shared = self._mapped(rule.map, "$.map")
                break
        for doing in doings:
            self._do(doing, shared)
        if self.failures:
            return "failed"
        return "done" if self.effects else "skipped"

    def _chosen(self) -> tuple[Doing, ...]:
        for way in self._rule.ways:
            if self._holds(way.test, f"{way.path}.when"):
                return way.doings
            if self.failures:
                return ()
        return ()

    def _do(self, doing: Doing, shared: Mapped | None) -> None:
        action = doing.action
        if action.do == "wait":
            self._after_s += action.seconds or 0
            return
        if doing.fillers is not None:
            mapped = self._mapped(doing.fillers, f"{doing.path}.with")
        else:
            assert shared is not None, "made before for whoever takes it"
            mapped = shared
        fact, rule = self._fact, self._rule
        name = effect_id(rule.name, rule.version, fact.key, action.id)
        effect = Effect(
            name,
            action.id,
            action.do,
            action.to,
            mapped.body,
            mapped.modes,
            self._order_key(),
            fact.hops + 1,
            self._after_s,
        )
        self.effects.append(effect)
        if self._steps is not None:
            self._note(doing.path, action.do, {"to": action.to}, mapped.body)

    def _mapped(self, fillers: tuple[Filler, ...], path: str) -> Mapped:
        mapped = mapping.apply(fillers, self._context)
        self.failures += mapped.failures
        self._note(path, "map", None, mapped.body)
        return mapped

    def _holds(self, test: Test, path: str) -> bool:
        try:
            holds = test(self._context)
        except ExpressionFailed as failed:
            self._fail(path, failed.code, failed.what)
            holds = False
        self._note(path, "condition", None, holds)
        return holds

    def _order_key(self) -> str:
        value = self._rule.order_key(self._context.roots)
        if isinstance(value, (str, int)):
            return str(value)[:ORDER_KEY_CHARS_MAX]
        return self._fact.subject

    def _fail(self, path: str, code: str, reason: str) -> None:
        self.failures.append(Failure(path, code, reason))

    def _note(self, path: str, kind: str, given: Any, came: Any) -> None:
        if self._steps is not None:
            self._steps.append(Step(path, kind, given or self._context.roots, came))
