"""A checkout takes stock, coupon and points together or not at all."""

import asyncio
from typing import Any

import pytest

from hub.store.digest import digest
from tests.event_maker import Shop, at, line

SHOP = Shop("website", "main")
WANTED = {
    "shop": "main",
    "order_number": "W1",
    "account": "a",
    "place": "xuhui",
    "items": [{"sku": "cake", "quantity": "1"}],
    "coupons": ["TEN-OFF"],
    "points": 50,
    "amount": "168.00",
    "currency": "CNY",
}
HELD = (
    "select"
    " (select sum(reserved_milli) from hub.stock_positions)::bigint as reserved,"
    " (select sum(committed_milli) from hub.stock_positions)::bigint as committed,"
    " (select count(*) from hub.coupon_reservations where ended_at is null) as coupons_held,"
    " (select sum(uses_redeemed) from hub.coupons)::bigint as coupons_used,"
    " (select coalesce(sum(held_points), 0) from hub.points_accounts)::bigint as points_held,"
    " (select coalesce(sum(spent_points), 0) from hub.points_accounts)::bigint as points_spent"
)
NOTHING = (0, 0, 0, 0, 0, 0)


@pytest.fixture
async def headers(key_for) -> dict[str, str]:
    return await key_for("website", "checkouts:write")


@pytest.fixture(autouse=True)
async def take(take) -> Any:
    """Takes events; there is one cake, a coupon of ten yuan, and 80 points."""

    count = {"sku": "cake", "place": "xuhui", "quantity": "1", "measured_at": at(0).isoformat()}
    discount = {"kind": "discount", "face_value": "10.00", "currency": "CNY", "account": "a"}
    terms = {"terms": {"minimum": "100.00"}}
    await take(
        SHOP.body("member.registered", 0, account="a"),
        SHOP.body("member.registered", 0, account="b"),
        SHOP.body("stock.counted", 1, **count),
        SHOP.body("points.earned", 1, account="a", points=80),
        SHOP.body("coupon.issued", 1, code="TEN-OFF", **discount, **terms),
    )
    return take


async def post(http, headers: dict[str, str], path: str, name: str, **body: Any) -> Any:
    named = headers | {"Idempotency-Key": name}
    return await http.post(f"/v1/checkouts{path}", json=body or None, headers=named)


async def held(writer) -> tuple[int, ...]:
    return tuple((await writer.fetchrow(HELD)).values())


async def test_a_checkout_holds_all_and_its_commit_makes_the_sale_of_all(
    http, headers, writer
) -> None:
    made = await post(http, headers, "", "1", **WANTED)
    assert made.status_code == 201, made.text
    checkout = made.json()
    assert checkout["coupons"] == [{"code": "TEN-OFF", "amount": "10.00", "is_tender": False}]
    assert await held(writer) == (1000, 0, 1, 0, 50, 0)
    done = await post(http, headers, f"/{checkout['checkout_id']}/commit", "2")
    assert done.json()["status"] == "committed"
    assert await held(writer) == (0, 1000, 0, 1, 0, 50)
    again = await post(http, headers, f"/{checkout['checkout_id']}/commit", "3")
    assert again.status_code == 409
    assert await held(writer) == (0, 1000, 0, 1, 0, 50)


async def test_a_release_gives_all_of_it_free_again(http, headers, writer) -> None:
    checkout = (await post(http, headers, "", "1", **WANTED)).json()
    done = await post(http, headers, f"/{checkout['checkout_id']}/release", "2")
    assert done.json()["status"] == "released"
    assert await held(writer) == NOTHING
    late = await post(http, headers, f"/{checkout['checkout_id']}/commit", "3")
    assert late.status_code == 409
    other = await post(http, headers, "", "4", **WANTED | {"order_number": "W2"})
    assert other.status_code == 201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"items": [{"sku": "cake", "quantity": "2"}]}, 409),
        ({"points": 81}, 409),
        ({"account": "b", "points": 0}, 409),  # the coupon is another's
        ({"amount": "99.99"}, 409),  # below the coupon's threshold
        ({"amount": None}, 409),
        ({"coupons": ["NOBODY-KNOWS"]}, 404),
        ({"account": "nobody"}, 409),
        ({"amount": "-1"}, 422),
        ({"amount": "1.001"}, 422),
    ],
)
async def test_where_one_part_is_not_possible_nothing_is_held(
    http, headers, writer, database, change: dict[str, Any], status: int
) -> None:
    before = await digest(writer)
    refused = await post(http, headers, "", "1", **WANTED | change)
    assert refused.status_code == status, refused.text
    assert await held(writer) == NOTHING
    assert await digest(writer) == before


async def test_two_checkouts_at_once_for_the_last_cake_have_one_winner(
    http, headers, writer
) -> None:
    wishes = [WANTED | {"order_number": f"W{n}", "coupons": [], "points": 10} for n in range(8)]
    answers = await asyncio.gather(
        *(post(http, headers, "", str(n), **wish) for n, wish in enumerate(wishes))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert await held(writer) == (1000, 0, 0, 0, 10, 0)


@pytest.mark.parametrize("is_placed_first", [True, False])
async def test_commands_and_events_of_one_sale_have_one_effect_whichever_comes_first(
    http, headers, writer, take, is_placed_first: bool
) -> None:
    content = {
        "order_number": "W1",
        "currency": "CNY",
        "buyer": {"account": "a"},
        "place": "xuhui",
        "lines": [line(1, "cake", 1, "168.00")],
        "total": "168.00",
    }
    told = (
        SHOP.body("order.placed", 5, **content),
        SHOP.body("points.redeemed", 6, account="a", points=50, order_number="W1"),
        SHOP.body("coupon.redeemed", 6, code="TEN-OFF", redemption_id="W1", order_number="W1"),
    )
    checkout = (await post(http, headers, "", "1", **WANTED)).json()
    if is_placed_first:
        await take(told[0])
    done = await post(http, headers, f"/{checkout['checkout_id']}/commit", "2")
    assert done.status_code == 200, done.text
    await take(*told[1 if is_placed_first else 0 :])
    assert await held(writer) == (0, 1000, 0, 1, 0, 50)
    cases = await writer.fetch("select kind from hub.cases where state = 'open'")
    assert cases == []


@pytest.mark.parametrize("points", [0, 50])
async def test_a_checkout_whose_time_is_over_is_not_committed_in_half(
    http, headers, writer, points: int
) -> None:
    wanted = WANTED | {"ttl_s": 1, "points": points}
    checkout = (await post(http, headers, "", "1", **wanted)).json()
    await writer.fetchval("select pg_sleep(1.1)")
    late = await post(http, headers, f"/{checkout['checkout_id']}/commit", "2")
    assert late.status_code == 409
    assert (await held(writer))[3:6:2] == (0, 0)  # no coupon was redeemed, no point spent


async def test_a_checkout_of_another_channel_does_not_exist(http, headers, key_for) -> None:
    checkout = (await post(http, headers, "", "1", **WANTED)).json()
    other = await key_for("mini", "checkouts:write")
    for step in ("commit", "release"):
        answer = await post(http, other, f"/{checkout['checkout_id']}/{step}", step)
        assert answer.status_code == 404
