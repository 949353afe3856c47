"""What is personal is masked, unless a key that may see it asks; and that is recorded."""

from typing import Any

import pytest

from hub.domain import ids
from hub.store import audit, check
from tests.event_maker import Shop

WEB, MINI = Shop("website", "main"), Shop("miniprogram", "main")
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
CARD = {"type": "card", "value": "VIP-0007", "proof": "declared"}
W, M = ids.text(ids.profile_id("website", "w")), ids.text(ids.profile_id("miniprogram", "m"))
MEMBER = min(W, M)
SECRETS = ("王小明", "小明", "13912345678", "VIP-0007", "1990-01-02")


@pytest.fixture(autouse=True)
async def person(take) -> None:
    """One person of two channels."""
    said = {"name": "王小明", "birthday": "1990-01-02"}
    await take(
        WEB.body("member.registered", 1, account="w", identifiers=[PHONE, CARD], **said),
        MINI.body("member.registered", 2, account="m", identifiers=[PHONE], name="小明"),
    )


async def get(http, headers: dict[str, str], path: str, **query: Any) -> Any:
    return await http.get(f"/v1/members/{path}", headers=headers, params=query)


async def deeds(writer) -> list[audit.Deed]:
    return [one.deed for one in await audit.page(writer)]


async def test_without_the_question_nothing_is_shown_and_nothing_recorded(
    http, key_for, writer
) -> None:
    headers = await key_for(None, "admin")
    for path in (MEMBER, f"{MEMBER}/identifiers"):
        answer = await get(http, headers, path)
        assert "***" in answer.text
        assert not any(secret in answer.text for secret in SECRETS)
    assert await deeds(writer) == []


async def test_who_may_not_see_it_is_refused_and_nothing_recorded(http, key_for, writer) -> None:
    headers = await key_for("website", "members:read", "member:all_channels")
    for path in (MEMBER, f"{MEMBER}/identifiers"):
        refused = await get(http, headers, path, reveal="true")
        assert refused.status_code == 403
        assert "members:personal" in refused.json()["detail"]
    assert await deeds(writer) == []


async def test_each_reveal_is_recorded_before_it_is_answered(
    http, key_for, writer, database
) -> None:
    headers = await key_for(None, "members:read", "members:personal")
    answer = await get(http, headers, MEMBER, reveal="true")
    shown = answer.json()
    assert {one["channel"]: one["name"] for one in shown["profiles"]} == {
        "website": "王小明",
        "miniprogram": "小明",
    }
    assert {one["name"]: one["value"] for one in shown["attributes"]} == {
        "name": "小明",
        "birthday": "1990-01-02",
    }
    listed = (await get(http, headers, f"{MEMBER}/identifiers", reveal="true")).json()["items"]
    assert {one["value"] for one in listed} == {"+8613912345678", "VIP-0007"}
    newest, first = await deeds(writer)
    assert (first.action, first.object) == ("personal.revealed", f"members/{MEMBER}")
    assert first.actor == f"key:{headers['Authorization'][7:].split('.')[0]}"
    assert first.request_id == answer.headers["x-request-id"]
    assert first.detail == {"fields": ["profiles", "attributes"], "profiles": sorted([W, M])}
    assert newest.detail["fields"] == ["identifiers"]
    assert not any(secret in str([newest, first]) for secret in SECRETS)
    (chain,) = await check.run(database.dsn(), ["the_audit_chain_verifies"])
    assert chain.violations == 0


async def test_a_channel_sees_what_is_personal_in_its_own_accounts_only(
    http, key_for, writer
) -> None:
    scopes = ("members:read", "members:personal", "member:all_channels")
    headers = await key_for("miniprogram", *scopes)
    shown = (await get(http, headers, MEMBER, reveal="true")).json()
    assert {one["channel"]: one["name"] for one in shown["profiles"]} == {
        "website": "***",
        "miniprogram": "小明",
    }
    listed = (await get(http, headers, f"{MEMBER}/identifiers", reveal="true")).json()["items"]
    assert {(one["type"], one["value"]) for one in listed if one["type"] == "card"} == {
        ("card", "***")
    }
    (_, first) = await deeds(writer)
    assert first.detail["profiles"] == [M]
    other = await key_for("pos", *scopes)
    assert (await get(http, other, MEMBER, reveal="true")).status_code == 404


async def test_an_answer_that_shows_it_is_never_kept_by_what_lies_between(http, key_for) -> None:
    headers = await key_for(None, "members:read", "members:personal")
    shown = await get(http, headers, MEMBER, reveal="true")
    assert shown.headers["cache-control"] == "no-store"
    assert "etag" not in shown.headers


async def test_after_an_erasure_nothing_is_left_to_reveal(http, key_for, take) -> None:
    headers = await key_for(None, "members:read", "members:personal")
    await take(WEB.decision("member.erased", 5, account="w"))
    shown = await get(http, headers, W, reveal="true")
    assert "王小明" not in shown.text
