"""What of a fact is personal, by the schemas of events, and a fact without it. Pure.

Too much is masked rather than too little. Runs are masked in `hub.rules.masking`.
"""

from functools import cache
from typing import Any

from hub.rules import fields
from hub.rules.facts import Fact
from hub.rules.fields import Schema

MASK = "•••"
_DEPTH_MAX = 12


@cache
def is_personal(event_type: str, path: str) -> bool:
    """Whether what stands at a path of this event is personal, or holds something that is."""
    if path.startswith("item"):
        return False  # what lists hold is judged by the list's own path
    try:
        schema = fields.schema_at(event_type, fields.steps(path))
    except (fields.UnknownField, ValueError, KeyError):
        return False
    return _holds_personal(schema, fields.payload_schema(event_type), 0)


def masked_fact(fact: Fact) -> dict[str, Any]:
    """What a fact says, its personal values as `•••`."""
    whole = fields.payload_schema(fact.type)
    return {"event": fact.event(), "data": _masked(fact.data, whole, whole, 0)}


def _masked(value: Any, schema: Schema, whole: Schema, depth: int) -> Any:
    schema = fields.plain(schema, whole)
    if schema.get("x-personal"):
        return None if value is None else MASK
    if depth > _DEPTH_MAX:
        return MASK
    if isinstance(value, list):
        items = schema.get("items", {})
        return [_masked(one, items, whole, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    other = schema.get("additionalProperties")
    rest = other if isinstance(other, dict) else {}
    return {
        name: _masked(one, known.get(name, rest), whole, depth + 1) for name, one in value.items()
    }


def _holds_personal(schema: Schema, whole: Schema, depth: int) -> bool:
    schema = fields.plain(schema, whole)
    if schema.get("x-personal"):
        return True
    if depth > _DEPTH_MAX:
        return True
    inner = [*schema.get("properties", {}).values()]
    inner += [schema[name] for name in ("items", "additionalProperties") if name in schema]
    return any(_holds_personal(one, whole, depth + 1) for one in inner if isinstance(one, dict))
