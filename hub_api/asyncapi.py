"""The AsyncAPI 3.0 page of all events that the hub takes, and of the facts that it publishes, made
from the payloads' types."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import msgspec

import hub
from hub.domain import decisions, payloads, readers, topics
from hub_api.envelope_schema import EVENT
from hub_api.intake import STRUCTURED

FOR_WHOM = ("channel", "shop")
TEXT = {"type": "string"}
_REFERENCE = "#/components/schemas/{name}"


@cache
def document() -> dict[str, Any]:
    """The whole page as JSON data."""
    taken = payloads.BY_TYPE.keys() - readers.DECIDED_TYPES
    names = sorted(payloads.BY_TYPE)
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
        "channels": {name: _channel(name, taken) for name in topics.COMMERCE}
        | {topics.FACTS: _facts(names)},
        "operations": {
            f"take {name}": {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}}
            for name in topics.COMMERCE
        }
        | {
            f"tell {topics.FACTS}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{topics.FACTS}"},
            }
        },
        "components": {"messages": messages, "schemas": components},
    }


def _message(name: str, data: dict[str, Any]) -> dict[str, Any]:
    envelope = {key: value for key, value in EVENT.items() if key not in ("example", "description")}
    properties = EVENT["properties"] | {"type": {"const": name}, "data": data}
    if name in readers.DECIDED_TYPES:
        properties |= {"source": {"const": decisions.SOURCE}} | dict.fromkeys(FOR_WHOM, TEXT)
    return {
        "name": name,
        "contentType": STRUCTURED,
        "payload": envelope | {"properties": properties},
    }


def _channel(topic: str, taken: Iterable[str]) -> dict[str, Any]:
    described = next(one for one in topics.TOPICS if one.name == topic)
    names = (name for name in sorted(taken) if topics.topic_of(name) == topic)
    return {
        "address": topic,
        "description": f"Keyed by {described.keyed_by}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }


def _facts(names: Iterable[str]) -> dict[str, Any]:
    """What the hub took or decided, once more for anyone."""
    return {
        "address": topics.FACTS,
        "description": "Each applied event and decision of the hub (source /hub), at least once, "
        "keyed by the entity's id and in order for each. Beside what it came with it has "
        "entitykind, entityid and hubposition, its place among all facts: of one entity, what has "
        "a smaller one than the last seen is a repetition. What is personal is left out.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
    }
