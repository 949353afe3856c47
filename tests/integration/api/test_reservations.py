"""Stock is reserved over HTTP: once for each idempotency key, and only by those who may."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.store import apply
from hub.store.sealing import Vault
from tests.event_maker import Shop, at, record

WANTED = {
    "shop": "main",
    "order_number": "W1",
    "place": "s1",
    "items": [{"sku": "cake", "quantity": "2"}],
}

HELD_UP = "from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"


@pytest.fixture
async def headers(key_for) -> dict[str, str]:
    return await key_for("website", "reservations:write", "stock:read") | {
        "Idempotency-Key": "first"
    }


@pytest.fixture(autouse=True)
async def three_cakes(writer, database) -> None:
    data = {"sku": "cake", "place": "s1", "quantity": "3", "measured_at": at(0).isoformat()}
    body = Shop("website", "main").body("stock.counted", 0, **data)
    async with writer.transaction():
        await apply.apply(writer, Vault(database.settings.secret()), [record(body)], "cluster")


async def reserve(http, headers: dict[str, str], **changes: Any) -> Any:
    return await http.post("/v1/reservations", json=WANTED | changes, headers=headers)


async def stock(http, headers: dict[str, str]) -> dict[str, Any]:
    return (await http.get("/v1/stock/cake", headers=headers)).json()["items"][0]


async def test_what_is_reserved_is_not_available_to_others(http, headers) -> None:
    answer = await reserve(http, headers)
    assert answer.status_code == 201
    assert answer.json()["status"] == "held"
    shown = await stock(http, headers)
    assert (shown["on_hand"], shown["reserved"], shown["available"]) == ("3", "2", "1")
    refused = await reserve(http, headers | {"Idempotency-Key": "second"}, order_number="W2")
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("cake at s1: 1.000 more than is available")
    assert refused.json()["cause"] == "insufficient_stock"
    assert {"field": "short", "reason": "1.000"} in refused.json()["errors"]


async def test_a_request_sent_again_gets_its_answer_and_holds_nothing_more(http, headers) -> None:
    first, second = await reserve(http, headers), await reserve(http, headers)
    assert second.json() == first.json()
    assert (await stock(http, headers))["reserved"] == "2"


async def test_an_idempotency_key_with_another_body_is_refused(http, headers) -> None:
    await reserve(http, headers)
    answer = await reserve(http, headers, items=[{"sku": "cake", "quantity": "1"}])
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key-reused")


async def in_flight(http, headers: dict[str, str], writer) -> asyncio.Task[Any]:
    """A request that is being done for as long as the writer's transaction holds its stock."""
    await writer.execute("select from stock_positions where sku = 'cake' for update")
    first = asyncio.create_task(reserve(http, headers))
    while not await writer.fetchval(f"select count(*) {HELD_UP}"):
        assert not first.done(), "nothing held it up"
        await asyncio.sleep(0.01)
    return first


async def test_a_request_sent_twice_at_once_is_done_once_and_the_second_told_to_wait(
    http, headers, writer
) -> None:
    async with writer.transaction():
        first = await in_flight(http, headers, writer)
        second = await reserve(http, headers)
        told = (second.status_code, second.json()["type"], second.headers["Retry-After"])
        assert told == (409, "/problems/request-in-flight", "1")
    assert (await first).status_code == 201
    assert (await reserve(http, headers)).json() == (await first).json()
    assert (await stock(http, headers))["reserved"] == "2"


async def test_a_request_whose_process_died_leaves_its_name_free(http, headers, writer) -> None:
    async with writer.transaction():
        first = await in_flight(http, headers, writer)
        await writer.execute(f"select pg_terminate_backend(pid) {HELD_UP}")
        assert (await first).status_code == 503
    assert (await reserve(http, headers)).status_code == 201
    assert (await stock(http, headers))["reserved"] == "2"


async def test_a_sandbox_holds_nothing(http, headers, key_for) -> None:
    trial = await key_for("sandbox-website", "reservations:write") | {"Idempotency-Key": "x"}
    refused = await reserve(http, trial)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/refused")
    assert "sandbox" in refused.json()["detail"]
    assert (await stock(http, headers))["reserved"] == "0"


async def test_a_refused_request_can_be_sent_again_when_there_is_stock(http, headers) -> None:
    many = [{"sku": "cake", "quantity": "4"}]
    assert (await reserve(http, headers, items=many)).status_code == 409
    assert (await reserve(http, headers)).status_code == 201


async def test_commit_and_release_end_a_reservation_once(http, headers) -> None:
    place = f"/v1/reservations/{(await reserve(http, headers)).json()['reservation_id']}"
    named = headers | {"Idempotency-Key": "commit"}
    committed = await http.post(f"{place}/commit", headers=named)
    assert (committed.status_code, committed.json()["status"]) == (200, "committed")
    assert (await http.post(f"{place}/commit", headers=named)).json() == committed.json()
    released = await http.post(f"{place}/release", headers=headers | {"Idempotency-Key": "r"})
    assert released.status_code == 409
    shown = await stock(http, headers)
    assert (shown["committed"], shown["reserved"]) == ("2", "0")


async def test_another_channels_reservation_is_not_found(http, headers, key_for) -> None:
    place = f"/v1/reservations/{(await reserve(http, headers)).json()['reservation_id']}"
    other = await key_for("store", "reservations:write") | {"Idempotency-Key": "x"}
    assert (await http.post(f"{place}/release", headers=other)).status_code == 404
    assert (await reserve(http, other, channel="website")).status_code == 403


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("items", []),
        ("items", [{"sku": "cake", "quantity": "0"}]),
        ("items", [{"sku": "cake", "quantity": "1.0001"}]),
        ("items", [{"sku": "cake", "quantity": 2}]),
        ("items", [{"sku": "", "quantity": "2"}]),
        ("order_number", ""),
        ("order_number", "a\u0000b"),
        ("shop", "../x"),
        ("ttl_s", 0),
        ("ttl_s", 10**9),
        ("role", "admin"),
    ],
)
async def test_a_wrong_field_is_named(http, headers, field: str, value: Any) -> None:
    answer = await reserve(http, headers, **{field: value})
    assert answer.status_code in (400, 422)
    assert answer.json()["errors"][0]["field"].lstrip("$.").startswith(field)


async def test_a_command_needs_an_idempotency_key_and_its_scope(http, headers, key_for) -> None:
    nameless = {"Authorization": headers["Authorization"]}
    assert (await reserve(http, nameless)).status_code == 422
    reader = await key_for("website", "stock:read") | {"Idempotency-Key": "x"}
    assert (await reserve(http, reader)).status_code == 403


async def test_what_is_not_bought_in_time_is_let_go_by_itself(http, headers) -> None:
    answer = await reserve(http, headers, ttl_s=1)
    assert answer.status_code == 201
    for _ in range(150):
        if (await stock(http, headers))["reserved"] == "0":
            return
        await asyncio.sleep(0.2)
    pytest.fail("it is still held")


async def test_a_reservation_without_a_place_is_held_where_its_shop_is_served_from(
    http, key_for, take, writer
) -> None:
    headers = await key_for("web", "reservations:write", "stock:read")
    document = {"places": ["s1", "w1"]}
    said = {"kind": "shop_places", "name": "web/1", "document": document, "reason": "-"}
    until = datetime.now(UTC) + timedelta(days=2)
    fresh = {"sku": "cream", "place": "w1", "quantity": "2"}
    erp = Shop("erp", "main")
    await take(
        Shop("web", "1").decision("config.published", 0, **said),
        erp.body("stock.received", 0, **fresh, batch="b-2", best_before=until.isoformat()),
        erp.body("stock.received", 0, **fresh, batch="b-1", best_before=at(5).isoformat()),
    )
    wanted = {"shop": "1", "order_number": "R9", "items": [{"sku": "cream", "quantity": "2"}]}
    named = headers | {"Idempotency-Key": "r-9"}
    made = await http.post("/v1/reservations", json=wanted, headers=named)
    assert (made.status_code, made.json()["place"]) == (201, "w1"), made.text
    stock = await http.get("/v1/stock/cream", headers=headers)
    (position,) = stock.json()["items"]
    assert (position["expired"], position["available"]) == ("2", "0")
    assert [(one["batch"], one["is_expired"]) for one in position["batches"]] == [
        ("b-1", True),
        ("b-2", False),
    ]
    elsewhere = wanted | {"shop": "2", "order_number": "R10"}
    none = await http.post(
        "/v1/reservations", json=elsewhere, headers=headers | {"Idempotency-Key": "r-10"}
    )
    assert none.status_code == 409
    assert "name a place" in none.text
