"""An account is registered over HTTP: once for each request, joined with whom it proves to be."""

import re
from typing import Any

import pytest

from hub.domain import ids
from hub.store import replay
from hub.store.sealing import Vault
from tests.event_maker import Shop

PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
ME = {"shop": "main", "account": "m", "identifiers": [PHONE], "name": "王小明"}


@pytest.fixture
async def headers(key_for) -> dict[str, str]:
    return await key_for("website", "members:write", "members:read")


async def post(http, headers: dict[str, str], name: str = "1", **body: Any) -> Any:
    return await http.post(
        "/v1/members", json=ME | body, headers=headers | {"Idempotency-Key": name}
    )


async def test_a_member_is_registered_and_found_by_what_was_said(http, headers) -> None:
    made = await post(http, headers)
    assert made.status_code == 201, made.text
    assert made.json() == {
        "member_id": (member := ids.text(ids.profile_id("website", "m"))),
        "profile_id": member,
        "status": "registered",
    }
    assert (await post(http, headers)).json() == made.json()
    wanted = {"type": "phone", "value": "+8613912345678"}
    found = await http.post("/v1/members/lookup", json=wanted, headers=headers)
    assert found.json() == {"members": [{"member_id": member, "is_verified": True}]}
    again = await post(http, headers, "2", attributes={"club": "bread"})
    assert (again.status_code, again.json()["status"]) == (201, "updated")


async def test_who_proves_to_be_a_member_is_that_member(http, headers, take) -> None:
    await take(Shop("tmall", "1").body("member.registered", 1, account="t", identifiers=[PHONE]))
    made = (await post(http, headers)).json()
    profiles = [ids.text(ids.profile_id(*one)) for one in (("tmall", "t"), ("website", "m"))]
    assert (made["member_id"], made["profile_id"]) == (min(profiles), profiles[1])
    typed = await post(http, headers, "2", account="x", identifiers=[PHONE | {"proof": "declared"}])
    assert typed.json()["member_id"] == typed.json()["profile_id"]


@pytest.mark.parametrize("is_first", [True, False])
async def test_the_channels_own_event_of_the_account_adds_to_it(
    http, headers, take, database, is_first: bool
) -> None:
    told = Shop("website", "main").body("member.registered", 1, account="m", name="王", gender="f")
    if is_first:
        await take(told)
    await post(http, headers)
    if not is_first:
        await take(told)
    member = ids.text(ids.profile_id("website", "m"))
    shown = (await http.get(f"/v1/members/{member}", headers=headers)).json()
    assert [one["name"] for one in shown["attributes"]] == ["gender", "name"]
    assert len(shown["profiles"]) == 1
    found = await replay.replay(database.dsn("owner"), Vault(database.settings.secret()))
    assert found.is_equal, found.differences


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"account": ""}, 422, "account"),
        ({"identifiers": [PHONE | {"proof": "sworn"}]}, 422, "identifiers.0.proof"),
        ({"identifiers": [PHONE] * 21}, 422, "identifiers"),
        ({"points": 100}, 422, "points"),
        ({"channel": "tmall"}, 403, None),
        ({"account": "a\u0000b"}, 400, None),
    ],
)
async def test_what_no_member_can_be_is_refused(
    http, headers, writer, change: dict[str, Any], status: int, field: str | None
) -> None:
    refused = await post(http, headers, **change)
    assert refused.status_code == status, refused.text
    if field is not None:
        assert refused.json()["errors"][0]["field"] == field
    assert not re.search(r"1234 ?5678", refused.text)
    assert await writer.fetchval("select count(*) from hub.profiles") == 0
