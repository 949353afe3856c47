"""From a post to a read: what the API takes, the store applies and the API shows again."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from hub.store import apply, records
from hub.store.sealing import Vault
from hub.testing import Database
from hub_api.kafka import Record

SCOPES = ("events:write", "members:read", "orders:read", "stock:read", "coupons:read")
PHONE = "13912345678"


@pytest.fixture
def stream(database: Database, writer: asyncpg.Connection) -> Callable[..., Any]:
    """Applies what the API sent, as a stream worker would."""
    vault = Vault(database.settings.secret())

    async def run(sent: Sequence[Record]) -> None:
        now = datetime.now(UTC)
        taken = [
            records.decode(records.Record(one.topic, 0, offset, now, one.key, (), one.value), now)
            for offset, one in enumerate(sent)
        ]
        async with writer.transaction():
            await apply.apply(writer, vault, taken, "cluster")

    return run


def _events(event: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
    identifiers = [{"type": "phone", "value": PHONE, "proof": "verified"}]
    order = event("e2")
    order["data"] |= {"buyer": {"account": "u1"}, "place": "s1"}
    number = order["data"]["order_number"]
    paid = {
        "order_number": number,
        "amount": "168.00",
        "currency": "CNY",
        "method": "card",
        "payment_id": "p1",
    }
    coupon = {
        "code": "cake-50",
        "kind": "exchange",
        "account": "u1",
        "face_value": "50.00",
        "currency": "CNY",
    }
    member = {"account": "u1", "identifiers": identifiers, "name": "王小明"}
    count = {
        "sku": "CAKE-6",
        "place": "s1",
        "quantity": "7",
        "measured_at": "2025-03-01T00:00:00Z",
    }
    return [
        event("e1", type="member.registered", subject="u1", data=member),
        order,
        event("e3", type="order.paid", time="2025-03-01T10:16:00+08:00", data=paid),
        event("e4", type="coupon.issued", subject="cake-50", data=coupon),
        event("e5", type="stock.counted", subject="CAKE-6", data=count),
    ]


async def test_what_is_posted_is_applied_and_read_again(
    http: httpx.AsyncClient,
    sender: Any,
    key_for: Callable[..., Any],
    event: Callable[..., dict[str, Any]],
    stream: Callable[..., Any],
) -> None:
    headers = await key_for("website", *SCOPES)
    posted = await http.post("/v1/channels/website/events", json=_events(event), headers=headers)
    assert posted.status_code == 202, posted.text
    await stream(sender.records)

    for one in posted.json()["events"]:
        told = (await http.get(one["status_url"], headers=headers)).json()
        assert told["state"] == "applied", told

    async def read(path: str) -> dict[str, Any]:
        answer = await http.get(path, headers=headers)
        assert answer.status_code == 200, answer.text
        assert PHONE not in answer.text
        assert "王小明" not in answer.text
        return answer.json()

    phone = {"type": "phone", "value": f"+86 {PHONE}"}
    found = await http.post("/v1/members/lookup", json=phone, headers=headers)
    (holder,) = found.json()["members"]
    assert holder["is_verified"]
    base = f"/v1/members/{holder['member_id']}"
    assert (await read(base))["profiles"][0]["account"] == "u1"
    assert len((await read(f"{base}/identifiers"))["items"]) == 1
    assert (await read(f"{base}/points"))["balance"] == 168
    (coupon,) = (await read(f"{base}/coupons"))["items"]
    assert (await read("/v1/coupons/CAKE-50"))["coupon_id"] == coupon["coupon_id"]
    (head,) = (await read(f"{base}/orders"))["items"]
    order = await read(f"/v1/orders/{head['order_id']}")
    assert (order["total"], order["paid"], order["member_id"]) == (
        "168.00",
        "168.00",
        holder["member_id"],
    )
    (position,) = (await read("/v1/stock/CAKE-6"))["items"]
    assert position["place"] == "s1"
    happened = [one["type"] for one in (await read(f"{base}/timeline"))["items"]]
    assert sorted(happened) == ["coupon.issued", "member.registered", "order.paid", "order.placed"]


async def test_the_same_post_sent_again_changes_nothing(
    http: httpx.AsyncClient,
    sender: Any,
    key_for: Callable[..., Any],
    event: Callable[..., dict[str, Any]],
    stream: Callable[..., Any],
    writer: asyncpg.Connection,
) -> None:
    headers = await key_for("website", *SCOPES)
    counts = "select (select count(*) from log.inbox), (select sum(points) from points_entries)"
    for _ in range(2):
        await http.post("/v1/channels/website/events", json=_events(event), headers=headers)
        await stream(sender.records)
        sender.records.clear()
        row = await writer.fetchrow(counts)
        assert row is not None
        assert tuple(row) == (5, 168)


async def test_an_id_used_again_is_told_beside_the_applied_event(
    http: httpx.AsyncClient,
    sender: Any,
    key_for: Callable[..., Any],
    event: Callable[..., dict[str, Any]],
    stream: Callable[..., Any],
) -> None:
    headers = await key_for("website", *SCOPES)
    for subject in ("W-1", "W-2"):
        changed = event("e1", subject=subject)
        answer = await http.post("/v1/channels/website/events", json=changed, headers=headers)
        assert answer.status_code == 202
    await stream(sender.records)
    url = "/v1/channels/website/events/e1?shop=main"
    told = (await http.get(url, headers=headers)).json()
    assert told["state"] == "applied"
    (letter,) = told["dead_letters"]
    assert letter["field"] == "$.id"
    assert letter["state"] == "open"
