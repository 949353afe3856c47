"""From bytes to events: a post is taken whole or refused whole, whatever its bytes are."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import events
from hub_api.asyncapi import document
from hub_api.envelope_schema import EXAMPLE
from hub_api.intake import Post, take
from hub_api.problems import Problem

NOW = datetime(2025, 3, 2, tzinfo=UTC)
KINDS = ["application/json", "application/cloudevents+json", "application/cloudevents-batch+json"]


def post(body: bytes, kind: str = "application/json", **headers: str) -> Post:
    return Post({"content-type": kind, **headers}.items(), body, NOW)


def refusal(posted: Post) -> Problem | None:
    """Why the post was refused; None if it was taken, whole and as it came."""
    try:
        taken = take(posted, "website")
    except Problem as problem:
        return problem
    assert all(events.decode(one.body, NOW) == one.event for one in taken)
    return None


def test_the_example_of_the_api_page_is_taken() -> None:
    (taken,) = take(post(json.dumps(EXAMPLE).encode()), "website")
    assert taken.event.id == EXAMPLE["id"]


@given(st.binary(max_size=300), st.sampled_from(KINDS))
def test_any_bytes_are_taken_or_refused_with_a_reason(body: bytes, kind: str) -> None:
    problem = refusal(post(body, kind))
    assert problem is not None
    assert problem.errors
    assert all(fault.reason for fault in problem.errors)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(EXAMPLE)), _json, min_size=1, max_size=3))
def test_any_value_in_any_attribute_is_taken_or_refused(changes: dict[str, object]) -> None:
    problem = refusal(post(json.dumps(EXAMPLE | changes).encode()))
    assert problem is None or problem.code in ("bad-json", "bad-events")


@given(st.dictionaries(st.sampled_from(sorted(EXAMPLE["data"])), _json, min_size=1, max_size=3))
def test_any_value_in_any_field_of_an_order_is_taken_or_refused(changes: dict[str, object]) -> None:
    event = EXAMPLE | {"data": EXAMPLE["data"] | changes}
    problem = refusal(post(json.dumps(event).encode()))
    assert problem is None or problem.code in ("bad-json", "bad-events")


@given(st.sampled_from(["ce-id", "ce-source", "ce-time", "ce-type"]), st.text(max_size=30))
def test_any_value_in_any_header_of_binary_mode_is_taken_or_refused(name: str, value: str) -> None:
    headers = {
        f"ce-{key}": str(EXAMPLE[key]) for key in ("specversion", "id", "source", "type", "time")
    }
    data = json.dumps(EXAMPLE["data"]).encode()
    problem = refusal(post(data, **headers | {name: value}))
    assert problem is None or problem.errors


def test_a_header_that_is_sent_twice_is_refused() -> None:
    headers = [
        ("content-type", KINDS[0]),
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-id", "2"),
    ]
    with pytest.raises(Problem) as caught:
        take(Post(headers, b"{}", NOW), "website")
    assert caught.value.errors[0].field == "headers.ce-id"


def test_at_most_fifty_faults_are_named_and_all_are_counted() -> None:
    body = json.dumps([EXAMPLE | {"type": "x"}] * 80).encode()
    with pytest.raises(Problem) as caught:
        take(post(body), "website")
    assert caught.value.values == {"count": 80, "total": 80}


def test_every_event_type_has_its_schema_on_the_page() -> None:
    messages = document()["components"]["messages"]
    assert messages["order.placed"]["payload"]["properties"]["type"] == {"const": "order.placed"}
    personal = json.dumps(document()["components"]["schemas"]["Identifier"])
    assert "x-personal" in personal
