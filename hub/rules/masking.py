"""What people who look at runs do not see: personal fields, and what was made from them. Pure.

A target counts as personal if what it was made from is, or holds something that is.
"""

from typing import Any

from msgspec.structs import replace

from hub.rules.document import Field
from hub.rules.facts import Effect, Fact, Run, Step
from hub.rules.mapping import PLACEHOLDER
from hub.rules.personal import MASK, is_personal, masked_fact
from hub.rules.running import Compiled


def masked_run(run: Run, fact: Fact, rule: Compiled) -> Run:
    """A run with its steps as they may be shown."""
    hidden = _Hidden(fact.type, rule)
    known = masked_fact(fact)
    steps = [
        Step(
            step.path,
            step.kind,
            known if _is_whole(step.input) else step.input,
            hidden.output(step.path, step.output),
        )
        for step in run.steps
    ]
    effects = [hidden.effect(effect) for effect in run.effects]
    return replace(run, effects=tuple(effects), steps=tuple(steps))


def masked_effect(effect: Effect, fact: Fact, rule: Compiled) -> Effect:
    """An effect with its body as it may be shown."""
    return _Hidden(fact.type, rule).effect(effect)


class _Hidden:
    """Which targets of a rule's bodies are made from what is personal."""

    def __init__(self, event_type: str, rule: Compiled) -> None:
        self._type = event_type
        self._cels = rule.checked.expressions
        document = rule.checked.rule
        shared = self._targets(document.map, "$.map", None)
        self._by_action: dict[str, set[str]] = {}
        self._by_path: dict[str, set[str]] = {"$.map": shared}
        groups = [("$.actions", document.actions)]
        groups += [(f"$.branches[{i}].actions", b.actions) for i, b in enumerate(document.branches)]
        for path, actions in groups:
            for i, action in enumerate(actions):
                at = f"{path}[{i}]"
                own = self._targets(action.with_, f"{at}.with", None)
                self._by_path[f"{at}.with"] = own
                self._by_path[at] = own if action.with_ else shared
                self._by_action[action.id] = self._by_path[at]

    def effect(self, effect: Effect) -> Effect:
        hidden = self._by_action.get(effect.action, set())
        return replace(effect, body=_without(effect.body, hidden))

    def output(self, path: str, output: Any) -> Any:
        hidden = self._by_path.get(path)
        return _without(output, hidden) if hidden and isinstance(output, dict) else output

    def _targets(self, wanted: list[Field], at: str, over: str | None) -> set[str]:
        found: set[str] = set()
        for i, field in enumerate(wanted):
            place = f"{at}[{i}]"
            if field.items:
                inside = self._targets(field.items, f"{place}.items", field.from_)
                found |= {f"{field.target}.{name}" for name in inside}
            elif any(self._is_personal(path, over) for path in self._sources(field, place)):
                found.add(field.target)
        return found

    def _sources(self, field: Field, place: str) -> list[str]:
        paths = [field.from_ or "", field.lookup.key if field.lookup else ""]
        paths += PLACEHOLDER.findall(field.template or "")
        computed = self._cels.get(f"{place}.computed")
        if computed is not None:
            # A loop over all of an event names no field of it.
            paths += [one.rstrip(".[]*") for one in computed.reads] or ["data"]
        return [path for path in paths if path]

    def _is_personal(self, path: str, over: str | None) -> bool:
        if path.startswith("item"):
            path = f"{over}[*]{path[4:]}" if over else "data"
        return is_personal(self._type, path)


def _is_whole(given: Any) -> bool:
    return isinstance(given, dict) and "event" in given and "data" in given


def _without(body: dict[str, Any], hidden: set[str]) -> dict[str, Any]:
    shown = {}
    for name, value in body.items():
        inner = {one.partition(".")[2] for one in hidden if one.startswith(f"{name}.")}
        if name in hidden:
            shown[name] = MASK
        elif inner and isinstance(value, dict):
            shown[name] = _without(value, inner)
        elif inner and isinstance(value, list):
            shown[name] = [_without(v, inner) if isinstance(v, dict) else MASK for v in value]
        else:
            shown[name] = value
    return shown
