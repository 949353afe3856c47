"""One box finds anything, in whatever spelling; never for keys of one channel."""

from typing import Any

import pytest

from hub.domain import ids
from tests.event_maker import Shop, line

WEB, MINI = Shop("website", "main"), Shop("miniprogram", "main")
PHONE = "+8613912345678"
MEMBER = ids.text(min(ids.profile_id("website", "w1"), ids.profile_id("miniprogram", "m1")))


@pytest.fixture(autouse=True)
async def day(take) -> None:
    proof = {"type": "phone", "value": PHONE, "proof": "verified"}
    await take(
        WEB.body("item.upserted", 0, sku="CAKE-6", name="草莓蛋糕"),
        WEB.body("member.registered", 1, event_id="E-1", account="w1", identifiers=[proof]),
        MINI.body("member.registered", 2, account="m1", identifiers=[proof]),
        WEB.body("order.placed", 3, order_number="W-1", currency="CNY", buyer={"account": "w1"},
                 lines=[line(1, "CAKE-6", 1, "168.00")], total="168.00"),
        MINI.body("order.placed", 4, order_number="W-1", currency="CNY",
                  lines=[line(1, "CAKE-6", 1, "168.00")], total="168.00"),
        WEB.body("coupon.issued", 5, code="CAKE-1", kind="exchange", account="w1"),
    )  # fmt: skip


@pytest.fixture
async def house(key_for) -> dict[str, str]:
    return await key_for(None, "members:read", "orders:read", "coupons:read", "stock:read")


async def find(http, headers: dict[str, str], text: str) -> list[dict[str, Any]]:
    answer = await http.post("/v1/search", json={"text": text}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.mark.parametrize(
    "text",
    [PHONE, "13912345678", "139 1234 5678", "0086-139-1234-5678",
     "\uff11\uff13\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", MEMBER, " m1 "],
)  # fmt: skip
async def test_a_member_is_found_by_phone_id_or_account(http, house, text) -> None:
    (hit,) = await find(http, house, text)
    assert (hit["kind"], hit["id"], hit["is_verified"]) == ("member", MEMBER, True)


async def test_an_order_number_finds_the_order_of_each_shop(http, house) -> None:
    hits = await find(http, house, "w-1")
    assert {hit["kind"] for hit in hits} == {"order"}
    assert {hit["channel"] for hit in hits} == {"website", "miniprogram"}
    for hit in hits:
        found = (await http.get(f"/v1/orders/{hit['id']}", headers=house)).json()
        assert (found["channel"], found["order_number"]) == (hit["channel"], "W-1")


async def test_codes_items_and_events_are_found(http, house) -> None:
    (coupon,) = await find(http, house, "cake -1")
    assert (coupon["kind"], coupon["id"], coupon["state"]) == ("coupon", "CAKE-1", "claimed")
    (item,) = await find(http, house, "cake-6")
    assert (item["kind"], item["id"], item["title"]) == ("item", "CAKE-6", "草莓蛋糕")
    (event,) = await find(http, house, "E-1")
    assert (event["kind"], event["title"], event["state"]) == (
        "event", "member.registered", "applied",
    )  # fmt: skip
    assert event["object_id"] == MEMBER


async def test_nothing_is_an_answer_until_it_looks_like_guessing(http, house) -> None:
    assert await find(http, house, "nobody's") == []
    assert await find(http, house, "   ") == []
    last = None
    for number in range(100):
        last = await http.post("/v1/search", json={"text": f"no{number}"}, headers=house)
        if last.status_code != 200:
            break
    assert last is not None
    assert last.json()["type"] == "/problems/too-many-misses"


async def test_only_nouns_that_the_caller_may_read_are_found(http, house, key_for) -> None:
    clerk = await key_for(None, "coupons:read")
    assert await find(http, clerk, PHONE) == []
    assert [hit["kind"] for hit in await find(http, clerk, "CAKE-1")] == ["coupon"]
    shop = await key_for("website", "members:read")
    answer = await http.post("/v1/search", json={"text": PHONE}, headers=shop)
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/foreign-channel")
    for body in ({}, {"text": ""}, {"text": "x" * 257}, {"text": "a", "role": "admin"}):
        assert (await http.post("/v1/search", json=body, headers=house)).status_code == 422
