"""A clerk at the counter: looks codes up, redeems, hands over, undoes, in the own store only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import orjson
import pytest

from hub.domain import ids
from hub.store import people
from hub.store.people import NewPerson
from hub_api.app import create_app
from tests.event_maker import Shop, at, line

PASSWORD = "a long enough password"
SHOP = Shop("website", "main")
CONTENT = {
    "order_number": "W1",
    "currency": "CNY",
    "buyer": {"account": "a"},
    "place": "bund",
    "lines": [line(1, "cake", 2, "100.00")],
    "total": "200.00",
}
PAID = {"order_number": "W1", "amount": "200.00", "currency": "CNY"}
W1 = ids.text(ids.order_id("website", "main", "W1"))


class Phone:
    """A clerk's phone, logged in."""

    def __init__(self, http: httpx.AsyncClient, forgery_token: str) -> None:
        self._http = http
        self._forgery_token = forgery_token

    async def post(self, path: str, name: str = "one", /, **body: Any) -> httpx.Response:
        headers = {"X-CSRF-Token": self._forgery_token, "Idempotency-Key": name}
        return await self._http.post(f"/v1/store{path}", json=body or None, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await self._http.get(f"/v1/store{path}")

    async def look_up(self, text: str) -> dict[str, Any]:
        answer = await self.post("/lookup", text=text)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """The events of tests are of a day in the past."""
    monkeypatch.setattr("hub_api.routes.store.WAITING_DAYS", 10_000)


@pytest.fixture
async def phones(database, sender, writer) -> AsyncIterator[Any]:
    """`await phones("wang", "bund")`: the phone of a clerk, or of who works in no store."""
    app = create_app(database.settings, sender)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:

        async def made(login: str, place: str | None, role: str = "clerk") -> Phone:
            await people.add(writer, NewPerson(login, "王芳", role, place), PASSWORD, "cli:test")
            http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")
            await stack.enter_async_context(http)
            answer = await http.post("/v1/session", json={"login": login, "password": PASSWORD})
            return Phone(http, answer.json()["csrf_token"])

        yield made


@pytest.fixture
async def voucher(take) -> str:
    """A cake voucher that the website sold to a guest who has claimed it."""
    sold = {"kind": "exchange", "face_value": "198.00", "paid_amount": "198.00"}
    issued = {"code": "CAKE-1", "currency": "CNY", "account": "a", **sold}
    await take(SHOP.body("coupon.issued", 0, **issued))
    return "CAKE-1"


@pytest.fixture
async def order(take) -> str:
    await take(
        SHOP.body("order.placed", 0, **CONTENT),
        SHOP.body("order.paid", 1, **PAID, method="wx", payment_id="p-1"),
    )
    return W1


async def test_two_phones_redeem_one_voucher_in_the_same_second_exactly_one_is_told_yes(
    phones, voucher
) -> None:
    bund, hongqiao = await phones("wang", "bund"), await phones("zhao", "hongqiao")
    seen = (await bund.look_up(" cake-1 "))["coupon"]
    assert (seen["code"], seen["obstacles"], seen["redemptions"]) == ("CAKE-1", [], [])
    answers = await asyncio.gather(
        bund.post("/redemptions", "b", code=voucher),
        hongqiao.post("/redemptions", "h", code=voucher),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = "bund" if answers[0].status_code == 200 else "hongqiao"
    seen = (await hongqiao.look_up(voucher))["coupon"]
    assert seen["obstacles"] == ["redeemed"]
    assert [use["place"] for use in seen["redemptions"]] == [winner]


async def test_a_picture_is_good_once_and_in_the_store_it_was_made_for(
    phones, http, key_for, voucher
) -> None:
    headers = await key_for("website", "coupons:write")
    wanted = {"shop": "main", "account": "a", "place": "bund"}
    made = await http.post(
        f"/v1/coupons/{voucher}/token", json=wanted, headers=headers | {"Idempotency-Key": "t"}
    )
    assert made.status_code == 201, made.text
    token = made.json()["token"]
    bund, hongqiao = await phones("wang", "bund"), await phones("zhao", "hongqiao")
    refused = await hongqiao.post("/lookup", text=token)
    assert (refused.status_code, refused.json()["cause"]) == (409, "token_refused")
    seen = (await bund.look_up(token))["coupon"]
    assert (seen["code"], seen["token"], seen["obstacles"]) == (voucher, token, [])
    assert (await bund.post("/redemptions", "b", code=voucher, token=token)).is_success
    assert (await bund.look_up(token))["coupon"]["obstacles"] == ["redeemed"]


async def test_a_use_is_undone_by_the_store_that_made_it_alone(phones, voucher) -> None:
    bund, hongqiao = await phones("wang", "bund"), await phones("zhao", "hongqiao")
    assert (await bund.post("/redemptions", "b", code=voucher)).is_success
    back = {"code": voucher, "redemption_id": "b", "reason": "顾客改主意"}
    assert (await hongqiao.post("/reversals", "u", **back)).status_code == 409
    assert (await bund.post("/reversals", "u", **back)).is_success
    assert (await hongqiao.look_up(voucher))["coupon"]["obstacles"] == []


async def test_what_was_redeemed_while_the_line_was_down_is_told_by_its_time(
    phones, sender, voucher
) -> None:
    bund = await phones("wang", "bund")
    late = {"code": voucher, "redemption_id": "off-1", "redeemed_at": at(30).isoformat()}
    assert (await bund.post("/late-redemptions", **late)).status_code == 202
    (record,) = sender.records
    said = orjson.loads(record.value)
    assert record.topic == "commerce.coupons.v1"
    assert (said["source"], said["time"]) == ("/channels/store/shops/bund", at(30).isoformat())
    assert said["data"] == {"code": voucher, "redemption_id": "off-1", "place": "bund"}
    sender.is_away = True
    assert (await bund.post("/late-redemptions", **late)).status_code == 503


async def test_what_waits_in_the_store_is_listed_and_handed_over_once(phones, order) -> None:
    bund = await phones("wang", "bund")
    (waiting,) = (await bund.get("/pickups")).json()["items"]
    assert (waiting["order_id"], waiting["obstacle"]) == (order, None)
    assert [(one["sku"], one["quantity"]) for one in waiting["lines"]] == [("cake", "2")]
    for name in ("one", "two"):
        assert (await bund.post(f"/orders/{order}/hand-over", name)).is_success
    assert (await bund.get("/pickups")).json()["items"] == []
    (seen,) = (await bund.look_up("w1"))["orders"]
    assert (seen["obstacle"], seen["fulfilment_status"]) == ("handed_over", "fulfilled")


async def test_what_waits_is_listed_by_pages_each_order_once(phones, order, take) -> None:
    second = CONTENT | {"order_number": "W2"}
    await take(
        SHOP.body("order.placed", 2, **second),
        SHOP.body("order.paid", 3, **PAID | {"order_number": "W2"}, method="wx", payment_id="p-2"),
    )
    bund = await phones("wang", "bund")
    page = (await bund.get("/pickups?limit=1")).json()
    rest = (await bund.get(f"/pickups?limit=1&cursor={page['next_cursor']}")).json()
    assert [one["order_number"] for one in page["items"] + rest["items"]] == ["W1", "W2"]
    assert rest["next_cursor"] is None


async def test_another_stores_order_is_told_of_and_not_handed_over(phones, order) -> None:
    hongqiao = await phones("zhao", "hongqiao")
    assert (await hongqiao.get("/pickups")).json()["items"] == []
    (seen,) = (await hongqiao.look_up("W1"))["orders"]
    assert (seen["obstacle"], seen["place"], seen["lines"]) == ("other_store", "bund", [])
    refused = await hongqiao.post(f"/orders/{order}/hand-over")
    assert (refused.status_code, refused.json()["cause"]) == (409, "other_store")


async def test_what_is_not_paid_or_was_called_off_stays_in_the_store(phones, take) -> None:
    bund = await phones("wang", "bund")
    await take(SHOP.body("order.placed", 0, **CONTENT))
    refused = await bund.post(f"/orders/{W1}/hand-over", "one")
    assert (refused.status_code, refused.json()["cause"]) == (409, "not_paid")
    await take(SHOP.body("order.cancelled", 2, order_number="W1"))
    refused = await bund.post(f"/orders/{W1}/hand-over", "two")
    assert (refused.status_code, refused.json()["cause"]) == (409, "order_over")


async def test_who_works_in_no_store_and_who_has_a_key_are_refused(
    phones, http, key_for, order
) -> None:
    service = await phones("li", None, "service")
    refused = await service.get("/pickups")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/no-store")
    headers = await key_for("website", "orders:read", "orders:write", "coupons:write")
    assert (await http.get("/v1/store/pickups", headers=headers)).status_code == 401
    clerk = await phones("wang", "bund")
    forged = await clerk._http.post(f"/v1/store/orders/{order}/hand-over")
    assert forged.status_code in (401, 403)
