"""Made-to-order goods take the capacity of a store's slot instead of stock."""

from typing import Any

import pytest

from hub.store import check
from tests.event_maker import Shop, at, line

SHOP = Shop("website", "main")
TEN, ELEVEN = at(120), at(180)
SLOTS = {TEN: "slot@2026-03-01T10:00Z", ELEVEN: "slot@2026-03-01T11:00Z"}
CAKE = {"sku": "cake-own", "quantity": "1", "made_to_order": True}
WANTED = {"shop": "main", "place": "xuhui", "items": [CAKE], "slot_from": TEN.isoformat()}
TAKEN = (
    "select committed_milli + reserved_milli from hub.stock_positions"
    " where sku = $1 and place = 'xuhui'"
)


@pytest.fixture
async def headers(key_for) -> dict[str, str]:
    return await key_for("website", "checkouts:write", "orders:write")


@pytest.fixture(autouse=True)
async def take(take, database) -> Any:
    """Takes events, which break nothing; there is room for one cake at ten and for two at eleven,
    and a voucher."""

    async def taken(*bodies: bytes) -> None:
        await take(*bodies)
        results = await check.run(database.dsn())
        assert [one for one in results if one.violations] == []

    for slot, quantity in ((TEN, "1"), (ELEVEN, "2")):
        room = {"place": "xuhui", "slot_from": slot.isoformat(), "quantity": quantity}
        await taken(SHOP.body("capacity.set", 0, **room, measured_at=at(0).isoformat()))
    await taken(SHOP.body("coupon.issued", 1, code="CAKE-1", kind="exchange", face_value="198.00",
                         currency="CNY"))  # fmt: skip
    return taken


def ordered(number: str, minute: float = 1) -> bytes:
    """A cake of the buyer's own design, to be picked up at ten."""
    lines = [line(1, "cake-own", 1, "198.00", made_to_order=True)]
    pickup = {"slot_from": TEN.isoformat(), "slot_until": ELEVEN.isoformat()}
    content = {"currency": "CNY", "lines": lines, "total": "198.00", "place": "xuhui"}
    return SHOP.body("order.placed", minute, order_number=number, **content, pickup=pickup)


async def post(http, headers: dict[str, str], path: str, name: str, **body: Any) -> Any:
    named = headers | {"Idempotency-Key": name}
    return await http.post(f"/v1/{path}", json=body, headers=named)


async def taken(writer, slot: Any) -> int:
    return await writer.fetchval(TAKEN, SLOTS[slot])


async def test_a_voucher_is_redeemed_by_choosing_store_and_slot_with_its_capacity_or_neither(
    http, headers, writer
) -> None:
    voucher = {"coupons": ["CAKE-1"], "amount": "198.00", "currency": "CNY"}
    full = WANTED | {"order_number": "W0", "items": [CAKE | {"quantity": "2"}]}
    refused = await post(http, headers, "checkouts", "0", **full, **voucher)
    assert refused.status_code == 409
    assert await writer.fetchval("select count(*) from hub.coupon_reservations") == 0
    made = await post(http, headers, "checkouts", "1", **WANTED, order_number="W1", **voucher)
    assert made.status_code == 201, made.text
    done = await post(http, headers, f"checkouts/{made.json()['checkout_id']}/commit", "2")
    assert done.status_code == 200
    assert await taken(writer, TEN) == 1000
    assert await writer.fetchval("select uses_redeemed from hub.coupons") == 1
    none = await post(http, headers, "checkouts", "3", **WANTED, order_number="W2")
    assert none.status_code == 409


async def test_an_order_takes_its_slot_and_no_stock_and_frees_it_when_it_is_called_off(
    writer, take
) -> None:
    await take(ordered("W1"))
    assert await taken(writer, TEN) == 1000
    assert (
        await writer.fetchval("select count(*) from hub.stock_positions where sku = 'cake-own'")
        == 0
    )
    await take(SHOP.body("order.cancelled", 5, order_number="W1"))
    assert await taken(writer, TEN) == 0


async def test_a_pick_up_that_moves_to_another_slot_takes_its_capacity_along(
    http, headers, writer, take
) -> None:
    await take(ordered("W1"))
    order_id = await writer.fetchval("select order_id::text from hub.orders")
    later = {"slot_from": ELEVEN.isoformat(), "slot_until": at(240).isoformat()}
    moved = await post(http, headers, f"orders/{order_id}/pickup", "1", place="xuhui", **later)
    assert moved.status_code == 200, moved.text
    assert (await taken(writer, TEN), await taken(writer, ELEVEN)) == (0, 1000)


async def test_more_cakes_sold_for_a_slot_than_can_be_made_are_a_case(writer, take) -> None:
    await take(ordered("W1"), ordered("W2", 2))
    case = await writer.fetchrow("select kind, object_key, detail from hub.cases")
    assert (case["kind"], case["object_key"]) == ("oversold", f"xuhui/{SLOTS[TEN]}")
    assert [one["order_number"] for one in case["detail"]["without"]] == ["W2"]


async def test_what_is_made_to_order_and_comes_back_is_nothing_to_sell(writer, take) -> None:
    await take(ordered("W1"), SHOP.body("order.picked_up", 130, order_number="W1"))
    back = {"order_number": "W1", "lines": [{"line": "1", "quantity": "1"}]}
    await take(SHOP.body("return.received", 140, **back))
    assert await taken(writer, TEN) == 0
    on_hand = "select sum(on_hand_milli)::bigint from hub.stock_positions"
    assert await writer.fetchval(on_hand) == 2000


async def test_what_is_made_to_order_needs_a_slot_to_be_held(http, headers) -> None:
    wanted = WANTED | {"slot_from": None, "order_number": "W1"}
    answer = await post(http, headers, "checkouts", "1", **wanted)
    assert answer.status_code == 422
