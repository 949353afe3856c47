"""The JSON Schema of each type of event, made from the payloads' own types, and its example.

Not here: the AsyncAPI page, which is served by `hub_api`; what a schema cannot say, such as that an
order's total is the sum of its lines, is checked where events are read (`hub.domain.events`).
"""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from hub.domain import decisions, events, payloads, readers

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE = "#/$defs/{name}"


@cache
def example(event_type: str) -> bytes:
    """One CloudEvent of this type, as a channel would send it."""
    return (files("hub.domain") / "examples" / f"{event_type}.json").read_bytes()


def event_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each type's CloudEvent in structured mode, by type."""
    return {name: event_schema(name) for name in payloads.BY_TYPE}


def event_schema(event_type: str) -> dict[str, Any]:
    """JSON Schema 2020-12 of a CloudEvent of this type. Fields of persons carry `x-personal`.

    KeyError for a type the hub does not know.
    """
    kinds = [events.Envelope, payloads.BY_TYPE[event_type]]
    (_, data), definitions = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    envelope = definitions.pop("Envelope")
    source = {"pattern": f"^{events.SOURCE.pattern}$"}
    if event_type in readers.DECIDED_TYPES:
        source = {"const": decisions.SOURCE}
    known = envelope["properties"] | {
        "source": envelope["properties"]["source"] | source,
        "type": {"const": event_type},
        "data": data,
    }
    return {
        "$schema": DIALECT,
        "title": event_type,
        "description": payloads.BY_TYPE[event_type].__doc__ or f"Payload of {event_type}.",
        "type": "object",
        "properties": known,
        "required": envelope["required"],
        "$defs": definitions,
        "examples": [msgspec.json.decode(example(event_type))],
    }
