"""Reading events: what a good one becomes, and that a bad one is refused with field and reason."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import events, ids, schemas
from hub.domain.envelope import BadEvent
from hub.domain.readers import NAMED_BY
from tests.event_maker import NOW, Shop, line

COMPLETED = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/channels/web/shops/1",
    "type": "order.completed",
    "time": "2026-03-01T16:00:00+08:00",
    "data": {"order_number": "n-1"},
}
ITEM = COMPLETED | {"type": "item.upserted", "data": {"sku": "a", "name": "Cake"}}


def order(**more: Any) -> dict[str, Any]:
    data = {
        "order_number": "n-1",
        "currency": "CNY",
        "lines": [line(1, "cake", 1, "12.30")],
        "total": "12.30",
    }
    return COMPLETED | {"type": "order.placed", "data": data | more}


def one_line(**more: Any) -> dict[str, Any]:
    return order(lines=[line(1, "cake", 1, "12.30") | more])


def refused(event: dict[str, Any] | bytes) -> BadEvent:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    with pytest.raises(BadEvent) as caught:
        events.decode(body, NOW)
    return caught.value


def test_an_event_is_known_by_its_source_and_id() -> None:
    event = events.decode(json.dumps(COMPLETED).encode(), NOW)
    assert event.key == ids.event_key("/channels/web/shops/1", "e-1")
    assert (event.channel, event.shop, event.subject) == ("web", "1", "n-1")
    assert event.entity_key == ids.order_id("web", "1", "n-1")
    assert event.occurred_at == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def test_the_same_number_on_two_channels_or_two_shops_is_two_orders() -> None:
    shops = [Shop("web", "1"), Shop("web", "2"), Shop("mini", "1")]
    keys = {shop.event("order.completed", 0, order_number="7").entity_key for shop in shops}
    assert len(keys) == 3


def test_an_id_above_2_to_the_53_keeps_every_digit() -> None:
    number = "9007199254740993"
    event = Shop().event("order.completed", 0, order_number=number, event_id=number)
    assert (event.subject, event.id) == (number, number)


def test_fields_nobody_knows_are_no_reason_to_refuse() -> None:
    event = order(role="admin", points=10**30, more={"a": [1, None, True]})
    assert events.decode(json.dumps(event).encode(), NOW).type == "order.placed"


def test_a_binary_event_reads_as_its_structured_twin() -> None:
    headers = {f"ce_{name}": str(COMPLETED[name]).encode() for name in COMPLETED if name != "data"}
    twin = events.decode(json.dumps(COMPLETED).encode(), NOW)
    body = json.dumps(COMPLETED["data"]).encode()
    assert events.decode_binary(headers | {"content-type": b"text/json"}, body, NOW) == twin


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"a\x00b"])
def test_a_binary_header_without_a_good_value_is_refused(value: bytes | None) -> None:
    headers = {f"ce_{name}": str(COMPLETED[name]).encode() for name in COMPLETED if name != "data"}
    with pytest.raises(BadEvent) as caught:
        events.decode_binary(headers | {"ce_id": value}, b'{"order_number":"n"}', NOW)
    assert caught.value.field in ("$.id", "$")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b"1",
        b'"text"',
        json.dumps(COMPLETED).encode()[:-1],
        json.dumps(COMPLETED).encode()[:40],
        json.dumps(COMPLETED).encode() + b"x",
        b"Obj\x01\x04\x14avro.codec\x08null",
        bytes(range(256)),
    ],
)
def test_bytes_that_are_no_event_are_refused(body: bytes) -> None:
    assert refused(body).code == "envelope_invalid"


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    start = json.dumps(COMPLETED)[:-1] + ', "note": "'
    full = start + "x" * (events.BODY_BYTES_MAX - len(start) - 2) + '"}'
    assert events.decode(full.encode(), NOW).id == "e-1"
    assert refused((full[:-2] + 'x"}').encode()).code == "too_large"


def test_nesting_without_end_is_refused_not_a_crash() -> None:
    deep = json.dumps(ITEM)[:-2] + ', "x": ' + "[" * 200_000 + "]" * 200_000 + "}}"
    assert refused(deep.encode()).code == "envelope_invalid"


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])
def test_bad_utf_8_is_refused_even_in_a_field_nobody_reads(bad: bytes) -> None:
    body = json.dumps(ITEM | {"note": "HERE"}).encode().replace(b"HERE", bad)
    assert refused(body).code == "envelope_invalid"


@pytest.mark.parametrize("place", ["id", "name"])
def test_a_lone_surrogate_is_refused(place: str) -> None:
    event = ITEM | {"id": "\ud800"} if place == "id" else ITEM
    body = json.dumps(event).replace("Cake", "Cake \\udc00" if place == "name" else "Cake")
    assert refused(body.encode()).code == "envelope_invalid"


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"specversion": "2.0"}, "envelope_invalid", "$.specversion"),
        ({"id": ""}, "envelope_invalid", "$.id"),
        ({"id": 7}, "envelope_invalid", "$.id"),
        ({"id": "x" * 129}, "envelope_invalid", "$.id"),
        ({"source": "web"}, "source_invalid", "$.source"),
        ({"source": "/channels/../shops/1"}, "source_invalid", "$.source"),
        ({"source": "/channels/web/shops/1/../2"}, "source_invalid", "$.source"),
        ({"source": "/channels/WEB/shops/1"}, "source_invalid", "$.source"),
        ({"source": "/channels/web/shops/1\n"}, "source_invalid", "$.source"),
        ({"type": "order.exploded"}, "type_unknown", "$.type"),
        ({"type": "order.placed.v2"}, "type_unknown", "$.type"),
        ({"type": "__class__"}, "type_unknown", "$.type"),
        ({"time": "yesterday"}, "envelope_invalid", "$.time"),
        ({"time": 1_700_000_000}, "envelope_invalid", "$.time"),
        ({"time": "2026-03-01T08:00:00"}, "envelope_invalid", "$.time"),
        ({"time": "1970-01-01T00:00:00Z"}, "time_out_of_range", "$.time"),
        ({"time": "0001-01-01T00:00:00+14:00"}, "time_out_of_range", "$.time"),
        ({"time": "9999-12-31T23:59:59-14:00"}, "time_out_of_range", "$.time"),
        ({"sequence": "-1"}, "sequence_invalid", "$.sequence"),
        ({"sequence": "1_0"}, "sequence_invalid", "$.sequence"),
        ({"sequence": "１２"}, "sequence_invalid", "$.sequence"),
        ({"sequence": " 1"}, "sequence_invalid", "$.sequence"),
        ({"sequence": "9" * 5000}, "sequence_invalid", "$.sequence"),
        ({"sequence": 2**63}, "sequence_invalid", "$.sequence"),
        ({"data": None}, "data_invalid", "$.data"),
        ({"data": "x"}, "data_invalid", "$.data"),
        ({"data": []}, "data_invalid", "$.data"),
        ({"data": {}}, "data_invalid", "$.data"),
        ({"data": {"order_number": 5}}, "data_invalid", "$.data.order_number"),
        ({"data": {"order_number": "a\r\nSet-Cookie: b"}}, "control_character", None),
        ({"data": {"order_number": "a\x00"}}, "control_character", "$.data.order_number"),
        ({"id": "a\x00"}, "control_character", "$.id"),
    ],
)
def test_a_bad_envelope_is_refused_by_its_field(
    change: dict[str, Any], code: str, field: str | None
) -> None:
    bad = refused(COMPLETED | change)
    assert bad.code == code
    assert field is None or bad.field == field
    assert bad.reason


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type", "time", "data"])
def test_an_event_without_an_attribute_is_refused_by_its_name(missing: str) -> None:
    bad = refused({name: value for name, value in COMPLETED.items() if name != missing})
    assert missing in bad.reason


def test_a_clock_may_run_a_day_ahead_and_no_longer() -> None:
    ahead = NOW + events.FUTURE_MAX
    assert events.decode(json.dumps(COMPLETED | {"time": ahead.isoformat()}).encode(), NOW)
    later = COMPLETED | {"time": (ahead + timedelta(seconds=1)).isoformat()}
    assert refused(later).code == "time_out_of_range"


def test_what_the_log_holds_is_read_again_whatever_its_time() -> None:
    event = COMPLETED | {"time": "1970-01-01T00:00:00Z"}
    assert events.decode(json.dumps(event).encode()).occurred_at.year == 1970


def test_a_count_from_the_future_is_refused() -> None:
    data = {"sku": "a", "place": "p", "quantity": "1", "measured_at": "2126-01-01T00:00:00Z"}
    bad = refused(COMPLETED | {"type": "stock.counted", "data": data})
    assert (bad.code, bad.field) == ("time_out_of_range", "$.data.measured_at")


@pytest.mark.parametrize("field", ["valid_from", "valid_until"])
def test_a_coupon_of_an_impossible_time_is_refused(field: str) -> None:
    data = {"code": "c", "kind": "times", field: "9999-12-31T23:59:59-08:00"}
    bad = refused(COMPLETED | {"type": "coupon.issued", "data": data})
    assert (bad.code, bad.field) == ("time_out_of_range", f"$.data.{field}")


@pytest.mark.parametrize(
    ("event", "code", "field"),
    [
        (one_line(amount="12.301"), "bad_amount", "$.data.lines[0].amount"),
        (one_line(amount="1e3"), "bad_amount", "$.data.lines[0].amount"),
        (one_line(amount="9" * 24), "bad_amount", "$.data.lines[0].amount"),
        (one_line(amount="1" + "0" * 30), "data_invalid", "$.data.lines[0].amount"),
        (one_line(amount="9223372036854775808"), "bad_amount", "$.data.lines[0].amount"),
        (one_line(amount="-12.30"), "negative_amount", "$.data.lines[0].amount"),
        (one_line(amount=12.3), "data_invalid", "$.data.lines[0].amount"),
        (one_line(amount=None), "data_invalid", "$.data.lines[0].amount"),
        (one_line(quantity="1.0001"), "bad_quantity", "$.data.lines[0].quantity"),
        (one_line(quantity="-1"), "negative_quantity", "$.data.lines[0].quantity"),
        (one_line(quantity="10000000000"), "bad_quantity", "$.data.lines[0].quantity"),
        (one_line(sku=""), "data_invalid", "$.data.lines[0].sku"),
        (
            one_line(discounts=[{"kind": "manual", "amount": "12.31"}]),
            "discount_above_amount",
            "$.data.lines[0].discounts",
        ),
        (
            one_line(discounts=[{"kind": "gift", "amount": "1"}]),
            "data_invalid",
            "$.data.lines[0].discounts[0].kind",
        ),
        (order(total="12.31"), "total_mismatch", "$.data.total"),
        (order(total="-12.30"), "negative_amount", "$.data.total"),
        (order(currency="cny"), "data_invalid", "$.data.currency"),
        (order(currency="JPY"), "bad_amount", "$.data.lines[0].amount"),
        (order(lines=[]), "data_invalid", "$.data.lines"),
        (order(lines=[line(1, "a", 1, "1"), line(1, "b", 1, "1")]), "duplicate_line", None),
        (order(lines="none"), "data_invalid", "$.data.lines"),
    ],
)
def test_a_bad_order_is_refused_by_its_field(
    event: dict[str, Any], code: str, field: str | None
) -> None:
    bad = refused(event)
    assert bad.code == code
    assert field is None or bad.field == field


def test_an_order_of_the_most_lines_is_read_and_one_line_more_is_refused() -> None:
    def of(lines: int) -> dict[str, Any]:
        return order(lines=[line(n, "a", 1, "1") for n in range(lines)], total=str(lines))

    assert len(events.decode(json.dumps(of(1_000)).encode(), NOW).data.lines) == 1_000
    assert refused(of(1_001)).field == "$.data.lines"
    assert refused(of(10_000)).field == "$.data.lines"


def test_a_gift_costs_nothing_and_is_an_order_all_the_same() -> None:
    event = order(lines=[line(1, "cake", 1, "0")], total="0")
    assert events.decode(json.dumps(event).encode(), NOW).data.total_minor == 0


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("points.earned", {"account": "a", "points": -1}, "negative_points"),
        ("points.redeemed", {"account": "a", "points": -1}, "negative_points"),
        ("points.earned", {"account": "a", "points": 2**63}, "data_invalid"),
        ("points.earned", {"account": "a", "points": 1.5}, "data_invalid"),
        ("points.earned", {"account": "a", "points": "1"}, "data_invalid"),
        ("points.earned", {"account": "a", "points": True}, "data_invalid"),
        ("stock.received", {"sku": "a", "place": "p", "quantity": "-1"}, "negative_quantity"),
        (
            "stock.transferred",
            {"sku": "a", "from_place": "p", "to_place": "p", "quantity": "1"},
            "same_place",
        ),
        ("coupon.voided", {"code": "\u3000 "}, "code_empty"),
        ("coupon.issued", {"code": "c", "kind": "times", "face_value": "1"}, "currency_missing"),
        ("coupon.issued", {"code": "c", "kind": "times", "uses": 0}, "data_invalid"),
        ("coupon.issued", {"code": "c", "kind": "free"}, "data_invalid"),
        ("place.upserted", {"place": "p", "name": "P", "kind": "moon"}, "data_invalid"),
        ("item.upserted", {"sku": "a", "name": "x\x00y"}, "control_character"),
        (
            "item.upserted",
            {"sku": "a", "name": "x", "attributes": {"a\x00": "b"}},
            "control_character",
        ),
        (
            "item.upserted",
            {"sku": "a", "name": "x", "attributes": {"a\n": "b"}},
            "control_character",
        ),
        ("item.upserted", {"sku": "a", "name": "x", "attributes": {"a": 1}}, "data_invalid"),
    ],
)
def test_a_bad_payload_is_refused_with_a_reason(kind: str, data: dict[str, Any], code: str) -> None:
    bad = refused(COMPLETED | {"type": kind, "data": data})
    assert bad.code == code
    assert bad.field is not None
    assert bad.field.startswith("$.data")
    assert "\x00" not in bad.field


def test_people_may_break_lines_where_they_write() -> None:
    event = ITEM | {"data": {"sku": "a", "name": "Cake\nwith cream\t!"}}
    assert events.decode(json.dumps(event).encode(), NOW).data.name == "Cake\nwith cream\t!"


@pytest.mark.parametrize(
    "name", ["'; drop table hub.orders; --", "<script>alert(1)</script>", "=1+1"]
)
def test_text_that_means_something_elsewhere_is_just_text(name: str) -> None:
    event = ITEM | {"id": name, "data": {"sku": name, "name": name}}
    decoded = events.decode(json.dumps(event).encode(), NOW)
    assert (decoded.subject, decoded.data.name) == (name, name)


@given(body=st.binary(max_size=300))
def test_any_bytes_are_an_event_or_refused(body: bytes) -> None:
    with pytest.raises(BadEvent):
        events.decode(body, NOW)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


KNOWN_FIELDS = [
    *("order_number", "sku", "place", "account", "code", "lines", "total", "currency"),
    *("points", "quantity", "name", "kind", "attributes", "identifiers", "measured_at"),
]


@given(
    kind=st.sampled_from(sorted(events.payloads.BY_TYPE)),
    known=st.dictionaries(
        st.sampled_from(KNOWN_FIELDS),
        JSON,
        max_size=8,
    ),
    attributes=st.dictionaries(st.sampled_from(["id", "time", "sequence", "subject"]), JSON),
)
def test_any_json_is_an_event_or_refused(
    kind: str, known: dict[str, Any], attributes: dict[str, Any]
) -> None:
    event = COMPLETED | {"type": kind, "data": known} | attributes
    body = json.dumps(event).encode()
    with suppress(BadEvent):
        events.decode(body, NOW)


@pytest.mark.parametrize("event_type", sorted(NAMED_BY))
def test_an_event_of_the_log_tells_by_one_decoding_what_it_says_when_checked(
    event_type: str,
) -> None:
    said = json.loads(schemas.example(event_type)) | {"hubhops": 2, "traceparent": "00-1"}
    body = json.dumps(said).encode()
    event = events.decode(body)
    told = events.retold(event.source, event_type, body)
    assert told is not None
    assert (told.channel, told.shop) == (event.channel, event.shop)
    assert (told.subject, told.data) == (event.subject, said["data"])
    assert (told.hops, told.traceparent) == (2, "00-1")
