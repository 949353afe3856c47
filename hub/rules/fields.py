"""Paths into facts, and what the events' JSON Schemas say stands there."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from hub.domain import payloads, schemas
from hub.rules.facts import STOCK_CHANGED

PATH = re.compile(r"(event|data|item)((?:\.[A-Za-z_][A-Za-z0-9_]*|\[(?:[0-9]{1,4}|\*)\])*)")
_STEP = re.compile(r"\.([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]{1,4}|\*)\]")
EVENT_FIELDS = ("id", "type", "channel", "shop", "subject", "time")
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
"""Nothing stands there; None is what was said to be nothing."""
_NUMBER = {"type": "string", "description": "a decimal number as string"}
TOLD: dict[str, dict[str, Any]] = {
    STOCK_CHANGED: {
        "type": "object",
        "properties": {
            "sku": {"type": "string"},
            "place": {"type": "string"},
            "on_hand": _NUMBER,
            "available": _NUMBER,
            "version": {"type": "string"},
        },
    }
}
"""What rules can be triggered by that is no event of the log -> the schema of its data."""
Step = str | int
EACH: Step = "*"
Schema = dict[str, Any]


class UnknownField(LookupError):
    """The schema has no such field. near: what comes closest."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(name)
        self.name = name
        near = get_close_matches(name, known, 3, 0.5) or sorted(known)[:8]
        self.near = ", ".join(near) or "-"


def steps(path: str) -> tuple[Step, ...]:
    """The steps of a path, the first is `event`, `data` or `item`. ValueError if it is none."""
    parts = PATH.fullmatch(path)
    if parts is None:
        raise ValueError(path)
    found: list[Step] = [parts[1]]
    for name, index in _STEP.findall(parts[2]):
        found.append(name or (EACH if index == "*" else int(index)))
    return tuple(found)


def value_at(value: Any, path: tuple[Step, ...]) -> Any:
    """What stands at a path, or MISSING; `[*]` gives a list of what is there."""
    for place, step in enumerate(path):
        if value is None:
            return MISSING
        if step == EACH:
            if not isinstance(value, list):
                return MISSING
            found = [value_at(one, path[place + 1 :]) for one in value]
            return [one for one in found if one is not MISSING]
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return MISSING
            value = value[step]
        elif isinstance(value, dict):
            value = value.get(step, MISSING)
        else:
            return MISSING
        if value is MISSING:
            return MISSING
    return value


def reader(path: tuple[Step, ...]) -> Callable[[Mapping[str, Any]], Any]:
    """What reads this path from its root, as `value_at` does."""
    root, inner = str(path[0]), path[1:]
    name = inner[0] if len(inner) == 1 else None
    if not isinstance(name, str) or name == EACH:
        return lambda roots: value_at(roots.get(root), inner)

    def plain(roots: Mapping[str, Any]) -> Any:
        value = roots.get(root)
        return value.get(name, MISSING) if isinstance(value, dict) else MISSING

    return plain


def is_known(event_type: str) -> bool:
    """Whether rules can be triggered by it."""
    return event_type in payloads.BY_TYPE or event_type in TOLD


@cache
def payload_schema(event_type: str) -> Schema:
    """The schema of `data` of a type, with `$defs`. KeyError for a type that is not known."""
    if event_type in TOLD:
        return TOLD[event_type]
    known = schemas.event_schema(event_type)
    return {"$defs": known["$defs"]} | known["properties"]["data"]


def schema_at(event_type: str, path: tuple[Step, ...], item: Schema | None = None) -> Schema:
    """The schema of what stands at a path of this event, {} if it may be anything.

    Raises `UnknownField`. item: the schema that `item` stands for.
    """
    if path[0] == "event":
        if len(path) != 2 or path[1] not in EVENT_FIELDS:
            raise UnknownField(str(path[-1]), list(EVENT_FIELDS))
        return {"type": "string"}
    whole = payload_schema(event_type)
    found = plain(item if path[0] == "item" and item is not None else whole, whole)
    for step in path[1:]:
        found = _inner(found, step, whole)
    return found


def plain(schema: Schema, whole: Schema) -> Schema:
    """A schema without references, and without the null it may be instead."""
    while "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        return plain(choices[0], whole)
    return {} if "anyOf" in schema else schema


def _inner(schema: Schema, step: Step, whole: Schema) -> Schema:
    if not schema:
        return schema
    if isinstance(step, int) or step == EACH:
        if schema.get("type") != "array":
            raise UnknownField(f"[{step}]", ["no list stands here"])
        return plain(schema.get("items", {}), whole)
    if schema.get("type") == "array":
        raise UnknownField(step, ["a list stands here: [0] or [*]"])
    known = schema.get("properties", {})
    if step in known:
        return plain(known[step], whole)
    other = schema.get("additionalProperties")
    if isinstance(other, dict):
        return plain(other, whole)
    if schema.get("type") == "object" and not known:
        return {}
    raise UnknownField(step, list(known))


def near_types(name: str) -> str:
    """The types of events that come closest to a name."""
    return ", ".join(get_close_matches(name, [*payloads.BY_TYPE, *TOLD], 3, 0.3)) or "order.placed"
