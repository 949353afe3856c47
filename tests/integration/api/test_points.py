"""Points are held and spent over HTTP: of the member's wallet, once for each idempotency key."""

import asyncio
from typing import Any

import pytest

from tests.event_maker import Shop, line

WANTED = {"shop": "main", "account": "a", "order_number": "W1", "points": 100}
PHONE = {"type": "phone", "value": "13912345678", "proof": "verified"}


@pytest.fixture
async def headers(key_for) -> dict[str, str]:
    return await key_for("website", "points:write", "members:read", "member:all_channels")


@pytest.fixture
async def mini(key_for) -> dict[str, str]:
    return await key_for("mini", "points:write")


@pytest.fixture(autouse=True)
async def take(take) -> Any:
    """Takes events; the member has 100 points on the website and 50 in the mini-program."""

    for channel, points in (("website", 100), ("mini", 50)):
        shop = Shop(channel, "main")
        await take(
            shop.body("member.registered", 0, account="a", identifiers=[PHONE]),
            shop.body("points.earned", 1, account="a", points=points),
        )
    return take


async def post(http, headers: dict[str, str], path: str, name: str, **body: Any) -> Any:
    named = headers | {"Idempotency-Key": name}
    return await http.post(f"/v1/points/{path}", json=body, headers=named)


async def test_spend_100_on_the_web_and_100_in_the_mini_program_at_once_with_150(
    http, headers, mini
) -> None:
    """Both are mastered by the hub => one is refused."""
    answers = await asyncio.gather(
        post(http, headers, "spend", "one", **WANTED),
        post(http, mini, "spend", "two", **WANTED),
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (refused,) = (answer for answer in answers if answer.status_code == 409)
    assert refused.json()["detail"].startswith("fewer than 100 points are available")
    again = await post(http, headers, "spend", "three", **WANTED | {"order_number": "W2"})
    assert again.status_code == 409


async def test_a_manual_adjustment_over_the_limit_needs_a_second_approver(
    http, headers, key_for, writer
) -> None:
    by_hand = {"shop": "main", "account": "a", "reason": "a cake that fell"}
    small = await post(http, headers, "adjustments", "small", **by_hand, points=30)
    assert (small.status_code, small.json()["status"]) == (201, "adjusted")
    large = await post(http, headers, "adjustments", "large", **by_hand, points=50_000)
    assert large.json()["status"] == "needs_approval"
    in_all = "select sum(open_points)::int from points_accounts"
    assert await writer.fetchval(in_all) == 180
    second = await key_for(None, "approvals:write") | {"Idempotency-Key": "yes"}
    path = f"/v1/approvals/{large.json()['approval_id']}/grant"
    granted = await http.post(path, headers=second)
    assert granted.status_code == 200, granted.text
    assert await writer.fetchval(in_all) == 50_180
    unknown = await post(
        http, headers, "adjustments", "who", **by_hand | {"account": "nobody"}, points=1
    )
    assert (unknown.status_code, await writer.fetchval(in_all)) == (409, 50_180)


async def test_a_spending_sent_again_gets_its_answer_and_spends_nothing_more(http, headers) -> None:
    first = await post(http, headers, "spend", "one", **WANTED)
    assert first.json() == {"status": "spent", "points": 100}
    assert (await post(http, headers, "spend", "one", **WANTED)).json() == first.json()
    other = await post(http, headers, "spend", "one", **WANTED | {"points": 7})
    assert other.status_code == 422


async def test_what_the_channel_reported_before_is_confirmed(http, headers, take) -> None:
    said = {"account": "a", "points": 100, "order_number": "W1"}
    await take(Shop("website", "main").body("points.redeemed", 5, event_id="r", **said))
    answer = await post(http, headers, "spend", "one", **WANTED)
    assert answer.json() == {"status": "confirmed", "points": 100}


async def test_a_hold_is_captured_in_part_and_only_by_its_channel(http, headers, mini) -> None:
    hold = (await post(http, headers, "holds", "one", **WANTED)).json()
    assert (hold["status"], hold["points"]) == ("held", 100)
    path = f"holds/{hold['hold_id']}"
    assert (await post(http, mini, f"{path}/capture", "x")).status_code == 404
    captured = await post(http, headers, f"{path}/capture", "two", points=30)
    assert captured.status_code == 200
    assert captured.json()["captured_points"] == 30
    assert (await post(http, headers, f"{path}/void", "three")).status_code == 409
    rest = await post(http, mini, "spend", "four", **WANTED | {"points": 120})
    assert rest.status_code == 201


async def test_a_hold_that_is_voided_frees_its_points(http, headers) -> None:
    hold = (await post(http, headers, "holds", "one", **WANTED)).json()
    voided = await post(http, headers, f"holds/{hold['hold_id']}/void", "two")
    assert voided.json()["status"] == "voided"
    answer = await post(
        http, headers, "spend", "three", **WANTED | {"points": 150, "order_number": "W2"}
    )
    assert answer.status_code == 201


async def test_a_key_that_may_not_spend_is_refused(http, key_for) -> None:
    reader = await key_for("website", "members:read")
    assert (await post(http, reader, "spend", "one", **WANTED)).status_code == 403
    spender = await key_for("website", "points:write")
    foreign = WANTED | {"channel": "mini"}
    assert (await post(http, spender, "spend", "one", **foreign)).status_code == 403


@pytest.mark.parametrize("points", [0, -1, "100", 1.5, 10**12 + 1])
async def test_points_are_whole_and_above_nothing(http, headers, points) -> None:
    answer = await post(http, headers, "spend", "one", **WANTED | {"points": points})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "points"


async def test_a_balance_is_explained_from_the_number_to_the_rule(http, headers, take) -> None:
    shop = Shop("website", "main")
    one = line(1, "cake", 1, "30.00")
    content = {"currency": "CNY", "lines": [one], "total": "30.00", "buyer": {"account": "a"}}
    payment = {"amount": "30.00", "currency": "CNY", "method": "wx", "payment_id": "p"}
    refund = {"refund_id": "r", "amount": "10.00", "currency": "CNY"}
    await take(
        shop.body("order.placed", 2, event_id="o1", order_number="W9", **content),
        shop.body("order.paid", 3, event_id="o2", order_number="W9", **payment),
        shop.body("refund.succeeded", 4, event_id="o3", order_number="W9", **refund),
    )
    await post(http, headers, "spend", "one", **WANTED)
    wanted = {"type": "account", "value": "a", "channel": "website"}
    found = await http.post("/v1/members/lookup", json=wanted, headers=headers)
    member_id = found.json()["members"][0]["member_id"]
    answer = await http.get(f"/v1/members/{member_id}/points/explanation", headers=headers)
    assert answer.status_code == 200
    said = answer.json()
    assert said["balance"] == 70 == sum(lot["open"] for lot in said["lots"]) - said["debt"]
    (order,) = (lot for lot in said["lots"] if lot["order_id"])
    assert (order["granted"], order["taken_back"], order["open"]) == (30, 10, 20)
    events = [(e["kind"], e["points"], e["event_type"], e["event_id"]) for e in order["entries"]]
    assert events == [
        ("reversed", -10, "refund.succeeded", "o3"),
        ("earned", 30, "order.paid", "o2"),
    ]
    assert {e["rule_version"] for e in order["entries"]} == {"earn-1"}
    assert order["entries"][0]["rule"].startswith("One point for each whole unit")
    assert -sum(entry["points"] for entry in said["spendings"]) == 100
    assert {entry["event_type"] for entry in said["spendings"]} == {"points.spent"}
