"""The AsyncAPI 3.0 page of all events that the hub takes, made from the payloads' types."""

from functools import cache
from typing import Any

import msgspec

import hub
from hub.domain import payloads, readers, topics
from hub_api.envelope_schema import EVENT
from hub_api.intake import STRUCTURED

_REFERENCE = "#/components/schemas/{name}"


@cache
def document() -> dict[str, Any]:
    """The whole page as JSON data."""
    names = sorted(payloads.BY_TYPE.keys() - readers.DECIDED_TYPES)
    kinds = [payloads.BY_TYPE[name] for name in names]
    data_schemas, components = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    messages = {name: _message(name, data) for name, data in zip(names, data_schemas, strict=True)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Commerce data hub: events",
            "version": hub.__version__,
            "description": "CloudEvents 1.0. Amounts and quantities are decimal strings. Fields "
            "with x-personal are encrypted per person before they are kept.",
        },
        "defaultContentType": STRUCTURED,
        "channels": {name: _channel(name, messages) for name in topics.COMMERCE},
        "operations": {
            f"take {name}": {
                "action": "receive",
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name in topics.COMMERCE
        },
        "components": {"messages": messages, "schemas": components},
    }


def _message(name: str, data: dict[str, Any]) -> dict[str, Any]:
    envelope = {key: value for key, value in EVENT.items() if key not in ("example", "description")}
    properties = EVENT["properties"] | {"type": {"const": name}, "data": data}
    return {
        "name": name,
        "contentType": STRUCTURED,
        "payload": envelope | {"properties": properties},
    }


def _channel(topic: str, messages: dict[str, Any]) -> dict[str, Any]:
    described = next(one for one in topics.TOPICS if one.name == topic)
    return {
        "address": topic,
        "description": f"Keyed by {described.keyed_by}.",
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"}
            for name in messages
            if topics.topic_of(name) == topic
        },
    }
