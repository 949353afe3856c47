"""Cases are worked on over HTTP: by keys of the house, ended by an action and never by a note."""

from typing import Any

import pytest

from tests.event_maker import Shop

SHOP = Shop("website", "main")


@pytest.fixture
async def house(key_for) -> dict[str, str]:
    return await key_for(None, "cases:read", "cases:write", "approvals:write", "members:read")


@pytest.fixture
async def second(key_for) -> dict[str, str]:
    return await key_for(None, "approvals:write")


@pytest.fixture(autouse=True)
async def take(take) -> Any:
    """Takes events; a coupon was redeemed twice, so one redemption does not count."""

    await take(
        SHOP.body("member.registered", 0, account="a"),
        SHOP.body("coupon.issued", 1, code="CAKE-1", kind="exchange", account="a"),
        SHOP.body("coupon.redeemed", 2, code="CAKE-1", redemption_id="r1"),
        SHOP.body("coupon.redeemed", 3, code="CAKE-1", redemption_id="r2"),
    )
    return take


async def post(http, headers: dict[str, str], path: str, name: str, **body: Any) -> Any:
    return await http.post(f"/v1/{path}", json=body, headers=headers | {"Idempotency-Key": name})


async def open_cases(http, house, **filters: str) -> list[dict[str, Any]]:
    answer = await http.get("/v1/cases", headers=house, params=filters)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def balance(writer) -> int:
    return await writer.fetchval(
        "select coalesce(sum(open_points), 0)::bigint from hub.points_accounts"
    )


async def test_a_case_says_what_it_is_about_and_what_may_mend_it(http, house) -> None:
    (head,) = await open_cases(http, house)
    assert (head["kind"], head["title_zh"]) == ("coupon_refused", "核销未被承认")
    case = (await http.get(f"/v1/cases/{head['case_id']}", headers=house)).json()
    assert case["detail"]["redemption_id"] == "r2"
    assert [repair["command"] for repair in case["repairs"]] == ["POST /v1/coupons/{code}/reverse"]
    assert case["actions"] == ["compensated", "written_off", "confirmed"]
    assert case["history"] == []


async def test_a_case_closes_when_its_object_is_right_again(http, house, take) -> None:
    await take(SHOP.body("coupon.redemption_reversed", 9, code="CAKE-1", redemption_id="r2"))
    assert await open_cases(http, house) == []
    (closed,) = await open_cases(http, house, state="closed")
    assert closed["closed_at"] is not None


async def test_a_note_alone_solves_nothing_and_an_action_does(http, house) -> None:
    (head,) = await open_cases(http, house)
    path = f"cases/{head['case_id']}"
    await post(http, house, f"{path}/notes", "1", reason="asked the store for the receipt")
    assert len(await open_cases(http, house)) == 1
    done = {"action": "written_off", "reason": "the store bears the cake"}
    assert (await post(http, house, f"{path}/settle", "2", **done)).status_code == 200
    assert await open_cases(http, house) == []
    case = (await http.get(f"/v1/{path}", headers=house)).json()
    assert [(step["type"], step["reason"]) for step in case["history"]] == [
        ("case.noted", "asked the store for the receipt"),
        ("case.settled", "the store bears the cake"),
    ]
    again = await post(http, house, f"{path}/settle", "3", **done)
    assert again.status_code == 409


async def test_an_action_that_does_not_fit_the_kind_is_refused(http, house, take) -> None:
    await take(SHOP.body("points.redeemed", 4, account="a", points=50))
    (head,) = await open_cases(http, house, kind="points_overspent")
    done = {"action": "written_off", "reason": "-"}
    refused = await post(http, house, f"cases/{head['case_id']}/settle", "1", **done)
    assert refused.status_code == 409
    assert len(await open_cases(http, house, kind="points_overspent")) == 1


async def test_a_settled_case_opens_again_when_what_is_known_changes(http, house) -> None:
    said = {"object_kind": "order", "object_key": "website/main/W-1", "reason": "squashed"}
    made = (await post(http, house, "cases", "1", **said)).json()
    path = f"cases/{made['case_id']}"
    given = {"channel": "website", "shop": "main", "account": "a", "points": 200}
    refused = await post(http, house, f"{path}/settle", "2", action="compensated", reason="-")
    assert refused.status_code == 409
    done = {"action": "compensated", "reason": "200 points", "given": given}
    assert (await post(http, house, f"{path}/settle", "3", **done)).status_code == 200
    assert [case["kind"] for case in await open_cases(http, house)] == ["coupon_refused"]


async def test_a_second_person_agrees_above_the_limit(http, house, second, writer) -> None:
    (head,) = await open_cases(http, house)
    given = {"channel": "website", "shop": "main", "account": "a", "points": 20_000}
    done = {"action": "compensated", "reason": "a very late cake", "given": given}
    answer = await post(http, house, f"cases/{head['case_id']}/settle", "1", **done)
    approval = answer.json()["approval_id"]
    assert await balance(writer) == 0
    assert {case["kind"] for case in await open_cases(http, house)} == {
        "coupon_refused",
        "approval",
    }
    own = await post(http, house, f"approvals/{approval}/grant", "2")
    assert (own.status_code, own.json()["title"]) == (409, "It is not possible as things are")
    granted = await post(http, second, f"approvals/{approval}/grant", "3")
    assert granted.json() == {"approval_id": approval, "status": "granted"}
    assert await balance(writer) == 20_000
    assert await open_cases(http, house) == []
    assert (await post(http, second, f"approvals/{approval}/grant", "4")).status_code == 409
    assert await balance(writer) == 20_000


async def test_what_is_declined_is_never_decided(http, house, second, writer) -> None:
    (head,) = await open_cases(http, house)
    given = {"channel": "website", "shop": "main", "account": "a", "points": 20_000}
    done = {"action": "compensated", "reason": "a very late cake", "given": given}
    answer = await post(http, house, f"cases/{head['case_id']}/settle", "1", **done)
    approval = answer.json()["approval_id"]
    declined = await post(http, second, f"approvals/{approval}/decline", "2", reason="too much")
    assert declined.json()["status"] == "declined"
    assert [case["kind"] for case in await open_cases(http, house)] == ["coupon_refused"]
    assert (await post(http, second, f"approvals/{approval}/grant", "3")).status_code == 409
    assert await balance(writer) == 0


async def test_a_case_is_given_to_somebody_with_a_time(http, house) -> None:
    (head,) = await open_cases(http, house)
    to = {"assignee": "li.na", "due_at": "2026-03-04T18:00:00+08:00", "priority": "high"}
    await post(http, house, f"cases/{head['case_id']}/assign", "1", reason="her store", **to)
    (mine,) = await open_cases(http, house, assignee="li.na")
    assert (mine["priority"], mine["due_at"]) == ("high", "2026-03-04T10:00:00Z")
    assert await open_cases(http, house, assignee="wang.wei") == []


async def test_keys_of_a_channel_see_no_cases(http, key_for) -> None:
    shop = await key_for("website", "cases:read", "cases:write")
    assert (await http.get("/v1/cases", headers=shop)).status_code == 403
    assert (await post(http, shop, "cases", "1", reason="-")).status_code == 403


async def test_cases_come_in_pages(http, house) -> None:
    for number in range(3):
        said = {"object_kind": "order", "object_key": f"website/main/W-{number}", "reason": "-"}
        await post(http, house, "cases", f"p{number}", **said)
    seen, cursor = [], None
    while True:
        asked = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/v1/cases", headers=house, params=asked)).json()
        seen += [case["case_id"] for case in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 4


async def test_an_unknown_case_is_not_found(http, house) -> None:
    unknown = "00000000-0000-0000-0000-000000000000"
    assert (await http.get(f"/v1/cases/{unknown}", headers=house)).status_code == 404
    for path, body in (
        (f"cases/{unknown}/notes", {"reason": "-"}),
        (f"approvals/{unknown}/grant", {}),
    ):
        assert (await post(http, house, path, path, **body)).status_code == 404
