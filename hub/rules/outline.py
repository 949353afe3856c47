"""Which fields a rule can read of an event, by the events' JSON Schemas: for lists to pick from."""

from typing import Any, Literal

from msgspec import Struct

from hub.rules import fields
from hub.rules.fields import EVENT_FIELDS, Schema

DEPTH_MAX = 4
FIELDS_MAX = 400
Kind = Literal["text", "decimal", "integer", "boolean", "time", "list"]
_KINDS: dict[str, Kind] = {"integer": "integer", "boolean": "boolean", "array": "list"}


class Outlined(Struct, frozen=True):
    """One field that holds a value or a list. decimal: a number as text."""

    path: str
    kind: Kind
    is_personal: bool


def outline(event_type: str) -> list[Outlined]:
    """The fields of an event, those of a list's first item among them; at most 400.

    KeyError for a type that is not known.
    """
    whole = fields.payload_schema(event_type)
    found = [
        Outlined(f"event.{name}", "time" if name == "time" else "text", is_personal=False)
        for name in EVENT_FIELDS
    ]
    _walk(whole, "data", whole, found, 0)
    return found[:FIELDS_MAX]


def _walk(schema: Schema, path: str, whole: Schema, found: list[Outlined], depth: int) -> None:
    if depth > DEPTH_MAX or len(found) >= FIELDS_MAX:
        return
    schema = fields.plain(schema, whole)
    is_personal = bool(schema.get("x-personal"))
    known: dict[str, Any] = schema.get("properties", {})
    if known and not is_personal:
        for name, inner in known.items():
            _walk(inner, f"{path}.{name}", whole, found, depth + 1)
        return
    found.append(Outlined(path, _kind(schema), is_personal))
    if schema.get("type") == "array" and not is_personal:
        _walk(schema.get("items", {}), f"{path}[0]", whole, found, depth + 1)


def _kind(schema: Schema) -> Kind:
    if schema.get("format") == "date-time":
        return "time"
    if "decimal number" in schema.get("description", ""):
        return "decimal"
    return _KINDS.get(str(schema.get("type")), "text")
