"""Each type of event has a schema and an example, and they agree with what is read."""

from datetime import datetime
from typing import Any

import jsonschema
import msgspec
import pytest

from hub.domain import events, payloads, readers, reference, schemas, topics
from tests.event_maker import NOW

TYPES = sorted(payloads.BY_TYPE)


def clock(event_type: str) -> datetime | None:
    """The hub's clock, for what comes from outside; its own decisions do not."""
    return None if event_type in readers.DECIDED_TYPES else NOW


def example(event_type: str) -> dict[str, Any]:
    return msgspec.json.decode(schemas.example(event_type))


@pytest.mark.parametrize("event_type", TYPES)
def test_each_type_has_an_example_that_is_read(event_type: str) -> None:
    event = events.decode(schemas.example(event_type), clock(event_type))
    assert event.type == event_type
    assert event.subject == example(event_type)["subject"]
    is_decided = event_type in readers.DECIDED_TYPES
    assert topics.topic_of(event_type) in ((topics.FACTS,) if is_decided else topics.COMMERCE)


@pytest.mark.parametrize("event_type", TYPES)
def test_each_example_fits_its_schema(event_type: str) -> None:
    schema = schemas.event_schema(event_type)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(example(event_type))


@pytest.mark.parametrize("event_type", TYPES)
def test_what_a_schema_requires_is_required_when_read(event_type: str) -> None:
    schema = schemas.event_schema(event_type)
    reference = schema["properties"]["data"]["$ref"].rpartition("/")[2]
    for field in schema["$defs"][reference]["required"]:
        event = example(event_type)
        del event["data"][field]
        assert not jsonschema.Draft202012Validator(schema).is_valid(event)
        with pytest.raises(events.BadEvent, match=field):
            events.decode(msgspec.json.encode(event), clock(event_type))


def test_fields_of_persons_are_marked() -> None:
    member = schemas.event_schema("member.registered")["$defs"]
    assert member["Identifier"]["properties"]["value"]["x-personal"] is True
    for field in ("name", "gender", "birthday"):
        assert member["Member"]["properties"][field]["anyOf"][0]["x-personal"] is True
    recipient = schemas.event_schema("order.placed")["$defs"]["Recipient"]["properties"]
    assert all(recipient[field]["anyOf"][0]["x-personal"] for field in ("name", "phone", "address"))


def test_a_schema_names_its_type_and_the_form_of_a_source() -> None:
    schema = schemas.event_schemas()["order.paid"]
    validator = jsonschema.Draft202012Validator(schema)
    for change in ({"type": "order.placed"}, {"source": "web"}, {"id": 7}):
        assert not validator.is_valid(example("order.paid") | change)


def test_a_type_nobody_knows_has_no_schema() -> None:
    with pytest.raises(KeyError):
        schemas.event_schema("order.exploded")


def test_the_reference_of_events_is_current() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), (
        "run python -m hub.domain.reference"
    )
