"""Checks of a rule that its shape cannot say: fields, expressions, tables, what actions need.

Each problem names its place in the document and what to do. Other rules: `hub.rules.analysis`.
"""

import re
from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import UNSET, Struct

from hub.domain.segments import SEGMENTS
from hub.domain.topics import TOPICS
from hub.rules import comparisons, expressions, fields, personal
from hub.rules.document import TOLD, Action, Condition, Field, Rule, parse, shaped
from hub.rules.expressions import Expression
from hub.rules.facts import STOCK_CHANGED
from hub.rules.fields import Schema, UnknownField
from hub.rules.mapping import PLACEHOLDER
from hub.rules.problems import Problem, RuleInvalid, problem
from hub.rules.text import Source

NEEDS: dict[str, tuple[bool, tuple[str, ...]]] = {
    "deliver": (True, ()),
    "publish": (True, ()),
    "issue_coupon": (True, ("member",)),
    "void_coupon": (False, ("code", "reason")),
    "earn_points": (False, ("points",)),
    "adjust_points": (False, ("points", "reason")),
    "set_tier": (False, ("member", "scheme", "level")),
    "tag_member": (False, ("member", "tag")),
    "notify": (True, ("member", "purpose", "medium")),
    "open_case": (False, ("what",)),
    "wait": (False, ()),
    "call": (True, ()),
}
"""Action -> whether it needs `to`, and the targets that it needs under `with`."""
ACCEPTS: dict[str, tuple[str, ...]] = {
    "issue_coupon": (
        *("channel", "kind", "face_value", "currency", "uses", "valid_from", "valid_until"),
        *("valid_days", "order_number"),
    ),
    "void_coupon": (),
    "earn_points": ("member", "channel", "reason", "order_number", "opens_at", "expires_at"),
    "adjust_points": ("member", "channel", "order_number"),
    "set_tier": (),
    "tag_member": ("channel", "value"),
    "open_case": ("object_kind", "object_key"),
}
"""Action -> the other targets that it understands; those that are not here take any."""
EITHER: dict[str, tuple[str, str]] = {
    "earn_points": ("member", "order_number"),
    "adjust_points": ("member", "order_number"),
}
"""Action -> two targets of which it needs one: an order's buyer is known to the hub."""
UNAVAILABLE = ("set_tier",)
"""What nobody can do yet: refused, so that no rule is published that does nothing."""
OWN_TOPICS = frozenset(topic.name for topic in TOPICS)
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_CHANNEL = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Checked(Struct, frozen=True):
    """A rule that can run, and its expressions by their place in the document."""

    rule: Rule
    source: Source
    expressions: dict[str, Expression]


def check(written: str, allowed: Collection[str] = ()) -> Checked:
    """Read and check a rule. Raises `RuleInvalid` with all that is wrong.

    allowed: how addresses that `call` may name begin, such as https://api.example.com/hooks/.
    """
    rule, source = parse(written)
    return check_parsed(rule, source, allowed)


def check_plain(plain: dict[str, Any], allowed: Collection[str] = ()) -> Checked:
    """The same for a rule in plain values, as versions are kept: it was written and read before, so
    problems name no line. Reading what was written takes fifty times as long."""
    source = Source(plain, {})
    return check_parsed(shaped(source), source, allowed)


def check_parsed(rule: Rule, source: Source, allowed: Collection[str] = ()) -> Checked:
    """The same for a rule that was read before."""
    found = _Check(rule, source, allowed)
    found.run()
    if found.problems:
        raise RuleInvalid(found.problems)
    return Checked(rule, source, found.expressions)


class _Check:
    def __init__(self, rule: Rule, source: Source, allowed: Collection[str]) -> None:
        self._rule, self._source, self._allowed = rule, source, tuple(allowed)
        self._types = [name for name in rule.trigger.types if fields.is_known(name)]
        self.problems: list[Problem] = []
        self.expressions: dict[str, Expression] = {}

    def run(self) -> None:
        rule = self._rule
        self._trigger()
        self._conditions(rule.when, "$.when")
        self._fields(rule.map, "$.map")
        self._path(rule.order_key, "$.order_key")
        self._kept([rule.order_key], "$.order_key")
        names: set[str] = set()
        self._actions(rule.actions, "$.actions", names)
        for i, branch in enumerate(rule.branches):
            self._conditions(branch.when, f"$.branches[{i}].when")
            self._actions(branch.actions, f"$.branches[{i}].actions", names)
        if not names:
            self._wrong("nothing_to_do", "$")

    def _trigger(self) -> None:
        trigger = self._rule.trigger
        if bool(trigger.events) == (trigger.schedule is not None):
            self._wrong("trigger", "$.trigger")
        if trigger.schedule is not None:
            self._segment(trigger.schedule.segment)
        if trigger.channels and STOCK_CHANGED in trigger.events:
            self._wrong("stock_of_no_channel", "$.trigger.channels")
        for i, name in enumerate(trigger.events):
            if not fields.is_known(name):
                near = fields.near_types(name)
                self._wrong("unknown_event", f"$.trigger.events[{i}]", name=name, near=near)

    def _segment(self, name: str) -> None:
        if name not in SEGMENTS:
            words = {"name": name, "near": ", ".join(SEGMENTS)}
            self._wrong("no_segment", "$.trigger.schedule.segment", **words)

    def _conditions(self, wanted: Sequence[Condition], path: str) -> None:
        for i, condition in enumerate(wanted):
            self._condition(condition, f"{path}[{i}]")

    def _condition(self, condition: Condition, path: str) -> None:
        kinds = (condition.field, condition.cel, condition.all, condition.any, condition.not_)
        if sum(kind is not None for kind in kinds) != 1:
            self._wrong("condition", path)
        elif condition.cel is not None:
            self._expression(condition.cel, f"{path}.cel", "BOOL")
        elif condition.not_ is not None:
            self._condition(condition.not_, f"{path}.not")
        elif condition.field is not None:
            self._path(condition.field, f"{path}.field")
            self._operand(condition, path)
        else:
            self._conditions(condition.all or [], f"{path}.all")
            self._conditions(condition.any or [], f"{path}.any")

    def _operand(self, condition: Condition, path: str) -> None:
        op, value = condition.op, condition.value
        if op is None:
            self._wrong("condition", path)
            return
        if op == "exists":
            return
        is_many = op in ("in", "not_in")
        if is_many != isinstance(value, list) or isinstance(value, dict):
            self._wrong("operand", path, op=op, needs="a list" if is_many else "one `value`")
            return
        try:
            for one in value if is_many else [value]:
                comparisons.comparable(one, condition.type)
        except ValueError:
            self._wrong("operand", path, op=op, needs=f"a value of type {condition.type}")
            return
        if op == "starts_with" and not isinstance(value, str):
            self._wrong("operand", path, op=op, needs="text")

    def _fields(self, wanted: Sequence[Field], path: str, item: Schema | None = None) -> None:
        targets: set[str] = set()
        for i, field in enumerate(wanted):
            at = f"{path}[{i}]"
            if any(_collide(field.target, other) for other in targets):
                self._wrong("same_target", f"{at}.target", name=field.target)
            targets.add(field.target)
            self._field(field, at, item)

    def _field(self, field: Field, at: str, item: Schema | None) -> None:
        sources = (field.from_, field.computed, field.lookup, field.template)
        given = sum(one is not None for one in sources) + (field.constant is not UNSET)
        if given != 1:
            self._wrong("one_source", at)
            return
        schema: Schema = {}
        if field.from_ is not None:
            schema = self._path(field.from_, f"{at}.from", item)
        elif field.computed is not None:
            self._expression(field.computed, f"{at}.computed", None)
        elif field.lookup is not None:
            self._path(field.lookup.key, f"{at}.lookup.key", item)
            if field.lookup.table not in self._rule.tables:
                self._wrong("unknown_table", f"{at}.lookup.table", name=field.lookup.table)
        elif field.template is not None:
            self._template(field.template, f"{at}.template", item)
        self._policy(field, at)
        if field.type == "list":
            if not field.items:
                self._wrong("items_missing", at)
            self._fields(field.items, f"{at}.items", schema.get("items", {}))

    def _policy(self, field: Field, at: str) -> None:
        if "default" in (field.on_missing, field.on_null) and field.default is UNSET:
            self._wrong("default_missing", at)
        if field.type == "quantity" and field.mode is None:
            self._wrong("mode_missing", at)
        try:
            ZoneInfo(field.zone)
        except (ValueError, OSError, LookupError):
            self._wrong("zone", f"{at}.zone", name=field.zone)

    def _template(self, template: str, at: str, item: Schema | None) -> None:
        for name in PLACEHOLDER.findall(template):
            self._path(name, at, item)
        rest = PLACEHOLDER.sub("", template)
        for sign in ("{{", "}}", "{%", "{#"):
            if sign in rest:
                self._wrong("template", at, why=f"'{sign}' is not understood")

    def _actions(self, wanted: Sequence[Action], path: str, names: set[str]) -> None:
        for i, action in enumerate(wanted):
            at = f"{path}[{i}]"
            if action.id in names:
                self._wrong("same_action", f"{at}.id", name=action.id)
            names.add(action.id)
            self._action(action, at)

    def _action(self, action: Action, at: str) -> None:
        self._fields(action.with_, f"{at}.with")
        needs_to, targets = NEEDS[action.do]
        given = {field.target for field in action.with_ or self._rule.map}
        lacking = [name for name in targets if name not in given]
        if needs_to and not action.to:
            lacking.append("`to`")
        either = EITHER.get(action.do, ())
        if either and given.isdisjoint(either):
            lacking.append(" / ".join(either))
        if action.do == "wait" and action.seconds is None:
            lacking.append("`seconds`")
        for name in lacking:
            self._wrong("action_lacks", at, action=action.do, name=name)
        self._target(action, at)
        if action.do in ACCEPTS:
            self._of_a_command(action, at, targets)
        if action.do == "call" and not (self._allowed and action.to.startswith(self._allowed)):
            self._wrong("address", f"{at}.to", name=action.to)

    def _target(self, action: Action, at: str) -> None:
        if action.do in UNAVAILABLE:
            self._wrong(f"unavailable_{action.do}", f"{at}.do")
        if action.do in TOLD and action.to and not _CHANNEL.fullmatch(action.to):
            self._wrong("no_channel", f"{at}.to", name=action.to)
        is_own = action.to not in OWN_TOPICS and _TOPIC.fullmatch(action.to)
        if action.do == "publish" and action.to and not is_own:
            self._wrong("no_topic", f"{at}.to", name=action.to)

    def _of_a_command(self, action: Action, at: str, needed: tuple[str, ...]) -> None:
        """What a command is given is kept with what it decides: nothing personal, nothing else."""
        known = {*needed, *ACCEPTS[action.do]}
        for i, field in enumerate(action.with_):
            if field.target not in known:
                words = {"action": action.do, "name": field.target, "known": ", ".join(known)}
                self._wrong("unknown_target", f"{at}.with[{i}].target", **words)
        own = [(field, f"{at}.with[{i}]") for i, field in enumerate(action.with_)]
        shared = [(field, f"$.map[{i}]") for i, field in enumerate(self._rule.map)]
        for field, place in own or shared:
            paths = [field.from_, field.lookup.key if field.lookup else None]
            paths += PLACEHOLDER.findall(field.template or "")
            expression = self.expressions.get(f"{place}.computed")
            paths += sorted(expression.reads) if expression else []
            self._kept([path for path in paths if path], place)

    def _kept(self, paths: Sequence[str], at: str) -> None:
        for path in paths:
            if any(personal.is_personal(event_type, path) for event_type in self._types):
                self._wrong("personal", at, name=path)

    def _path(self, name: str, at: str, item: Schema | None = None) -> Schema:
        try:
            steps = fields.steps(name)
        except ValueError:
            self._wrong("bad_path", at, name=name)
            return {}
        if steps[0] == "item" and item is None:
            self._wrong("bad_path", at, name=name)
            return {}
        schema: Schema = {}
        for event_type in self._types:
            whole = fields.payload_schema(event_type)
            try:
                schema = fields.schema_at(event_type, steps, item)
            except UnknownField as unknown:
                words: dict[str, Any] = {"event": event_type, "near": unknown.near}
                self._wrong("unknown_field", at, name=unknown.name, **words)
                return {}
            if "items" in schema:
                schema = schema | {"items": fields.plain(schema["items"], whole)}
        return schema

    def _expression(self, source: str, at: str, wanted: str | None) -> None:
        place = self._source.place(at)
        try:
            made = expressions.compile_checked(source, self._types, at, place)
        except RuleInvalid as invalid:
            self.problems += invalid.problems
            return
        if wanted is not None and made.returns not in (wanted, "DYN"):
            self._wrong("cel_type", at, got=made.returns, wanted=wanted)
        self.expressions[at] = made

    def _wrong(self, code: str, path: str, **words: object) -> None:
        self.problems.append(problem(code, path, self._source.place(path), **words))


def _collide(one: str, other: str) -> bool:
    return one == other or one.startswith(other + ".") or other.startswith(one + ".")
