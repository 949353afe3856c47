"""What rules do to one another: circles in which they start each other, and writes that collide.

It looks at what rules write and what starts them, over all rules at once; what happens at run time
is bounded by the hops of facts (`hub.rules.facts`).
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from hub.domain import topics
from hub.rules.document import TOLD, Rule, actions_of

WRITES: dict[str, tuple[str, ...]] = {
    "issue_coupon": ("coupon.issued",),
    "void_coupon": ("coupon.voided",),
    "earn_points": ("points.earned",),
    "adjust_points": ("points.adjusted",),
    "set_tier": ("tier.reviewed",),
    "tag_member": ("member.updated",),
    "open_case": ("case.opened",),
}
"""Action -> the events it leads to."""
EXCLUSIVE = ("deliver", "set_tier")
"""What two rules upon one event should not both do to one target."""


class Finding(Struct, frozen=True):
    """Something to look at before publishing, in two languages."""

    code: Literal["loop", "conflict", "no_receiver"]
    rules: tuple[str, ...]
    en: str
    zh: str


def writes_of(rule: Rule, echoes: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The types of events that a rule may lead to. echoes: channel -> types it tells in answer."""
    found: set[str] = set()
    for action in actions_of(rule):
        found.update(WRITES.get(action.do, ()))
        if action.do in TOLD:
            found.update(echoes.get(action.to, ()))
        elif action.do == "publish" and action.to in topics.COMMERCE:
            found.update(t for t in rule.trigger.types if topics.topic_of(t) == action.to)
    return frozenset(found)


def analyse(
    rules: Iterable[Rule], echoes: Mapping[str, Iterable[str]] | None = None
) -> list[Finding]:
    """Circles and conflicts among these rules, each once."""
    known = sorted(rules, key=lambda rule: rule.rule)
    return [*_loops(known, echoes or {}), *_conflicts(known)]


def _loops(rules: list[Rule], echoes: Mapping[str, Iterable[str]]) -> list[Finding]:
    writes = {rule.rule: writes_of(rule, echoes) for rule in rules}
    reads = {rule.rule: frozenset(rule.trigger.types) for rule in rules}
    after = {
        name: [other for other in reads if written & reads[other]]
        for name, written in writes.items()
    }
    found = []
    for start in sorted(after):
        circle = _circle(start, after)
        if circle is not None:
            found.append(_loop(circle, writes, reads))
    return found


def _circle(start: str, after: Mapping[str, list[str]]) -> tuple[str, ...] | None:
    """The shortest way from a rule back to itself over rules that come after it by name, so that
    each circle is found once, from its first rule."""
    waiting: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    for way in waiting:  # grows while it is read: breadth first
        for name in after[way[-1]]:
            if name == start:
                return way
            if name > start and name not in seen:
                seen.add(name)
                waiting.append((*way, name))
    return None


def _loop(
    circle: tuple[str, ...],
    writes: Mapping[str, frozenset[str]],
    reads: Mapping[str, frozenset[str]],
) -> Finding:
    english, chinese = [], []
    for name, following in zip(circle, (*circle[1:], circle[0]), strict=True):
        what = ", ".join(sorted(writes[name] & reads[following]))
        english.append(f"rule '{name}' writes what rule '{following}' reads ({what})")
        chinese.append(f"规则“{name}”写入的正是规则“{following}”读取的({what})")
    return Finding("loop", circle, "; ".join(english), ";".join(chinese))


def _conflicts(rules: list[Rule]) -> list[Finding]:
    writers: dict[tuple[str, str, str, str], list[str]] = {}
    for rule in rules:
        channels = rule.trigger.channels or ["*"]
        targets = {(a.do, a.to) for a in actions_of(rule) if a.do in EXCLUSIVE}
        for event_type in rule.trigger.types:
            for channel in channels:
                for do, to in targets:
                    writers.setdefault((event_type, do, to, channel), []).append(rule.rule)
    pairs: dict[tuple[str, ...], tuple[str, str, str]] = {}
    for (event_type, do, to, channel), names in sorted(writers.items()):
        everywhere = writers.get((event_type, do, to, "*"), [])
        both = tuple(sorted({*names, *everywhere} if channel != "*" else {*names}))
        if len(both) > 1:
            pairs.setdefault(both, (event_type, do, to))
    return [_conflict(names, *what) for names, what in pairs.items()]


def _conflict(names: tuple[str, ...], event_type: str, do: str, to: str) -> Finding:
    english = " and ".join(f"'{name}'" for name in names)
    chinese = "、".join(f"“{name}”" for name in names)
    return Finding(
        "conflict",
        names,
        f"rules {english} both {do} upon {event_type} to '{to}'; the last one wins",
        f"规则{chinese}都会在 {event_type} 时对“{to}”执行 {do},后执行者生效",
    )
