"""A small day of a bakery as records: every noun, an oversold cake, something parked."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.domain.topics import topic_of
from hub.store.records import Record, decode

OPENS_AT = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)


def record(offset: int, kind: str, channel: str, data: dict[str, Any], minute: int) -> Record:
    """One record of an event of this type, `minute` minutes after opening."""
    at = OPENS_AT + timedelta(minutes=minute)
    body = json.dumps(
        {
            "specversion": "1.0",
            "id": f"event-{offset}",
            "source": f"/channels/{channel}/shops/main",
            "type": kind,
            "time": at.isoformat(),
            "data": data,
        }
    ).encode()
    return decode(Record(topic_of(kind), 0, offset, at, None, (), body), None)


def bakery_day() -> list[Record]:
    """The day's records in the order they came."""
    day: list[tuple[str, str, dict[str, Any]]] = [
        ("place.upserted", "website", {"place": "s1", "name": "静安店", "kind": "store"}),
        ("item.upserted", "website", {"sku": "CAKE", "name": "草莓蛋糕"}),
        _count("CAKE", "3", 0),
        _count("CANDLE", "100", 0),
    ]
    for n in range(6):
        channel = ("website", "miniprogram")[n % 2]
        phone = {"type": "phone", "value": f"1391234000{n // 2}", "proof": "verified"}
        day.append(("member.registered", channel, {"account": f"a{n}", "identifiers": [phone]}))
        number = {"order_number": f"B{n}"}
        day.append(("order.placed", channel, _order(f"B{n}", f"a{n}")))
        day.append(("order.paid", channel, number | _payment(f"p{n}")))
        if n < 4:
            day.append(("order.completed", channel, number))
    day += [
        ("order.paid", "website", {"order_number": "LOST"} | _payment("p")),
        ("points.redeemed", "website", {"account": "a0", "points": 150}),
        (
            "refund.succeeded",
            "website",
            {"order_number": "B0", "refund_id": "r0", "amount": "99.90", "currency": "CNY"},
        ),
        ("points.redeemed", "website", {"account": "a2", "points": 500, "order_number": "B2"}),
        ("points.returned", "website", {"order_number": "B2", "points": 20}),
        ("coupon.issued", "website", {"code": "CAKE-1", "kind": "exchange", "account": "a0"}),
        ("coupon.redeemed", "miniprogram", {"code": "cake-1", "redemption_id": "x1"}),
        ("coupon.redeemed", "website", {"code": "CAKE-1", "redemption_id": "x2"}),
        *(_welcome(number) for number in (1, 2)),
        *(_welcomed(number) for number in (1, 2)),
        ("order.cancelled", "website", {"order_number": "B4"}),
        _count("CANDLE", "90", 20),
    ]
    return [record(n, kind, channel, data, n) for n, (kind, channel, data) in enumerate(day)]


def _welcome(number: int) -> tuple[str, str, dict[str, Any]]:
    data = {"code": f"HELLO-{number}", "kind": "discount", "template": "welcome"}
    return "coupon.issued", "website", data | {"terms": {"once_per_person": True}}


def _welcomed(number: int) -> tuple[str, str, dict[str, Any]]:
    data = {"code": f"HELLO-{number}", "redemption_id": f"h{number}", "account": "a0"}
    return "coupon.redeemed", "website", data


def _payment(payment_id: str) -> dict[str, Any]:
    return {"amount": "199.90", "currency": "CNY", "method": "wechat", "payment_id": payment_id}


def _count(sku: str, quantity: str, minute: int) -> tuple[str, str, dict[str, Any]]:
    measured_at = (OPENS_AT + timedelta(minutes=minute)).isoformat()
    data = {"sku": sku, "place": "s1", "quantity": quantity, "measured_at": measured_at}
    return "stock.counted", "website", data


def _order(number: str, account: str) -> dict[str, Any]:
    cake = {"line": "1", "sku": "CAKE", "quantity": "1", "unit_price": "198.00"}
    candle = {"line": "2", "sku": "CANDLE", "quantity": "1", "unit_price": "1.90"}
    return {
        "order_number": number,
        "currency": "CNY",
        "buyer": {"account": account},
        "place": "s1",
        "lines": [cake | {"amount": "198.00"}, candle | {"amount": "1.90"}],
        "total": "199.90",
    }
