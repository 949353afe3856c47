"""People merge, part and erase members over HTTP, and see what it would bring and what it did."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.domain import ids
from hub.store import apply
from hub.store.sealing import Vault
from tests.event_maker import Shop, record

WEB, MINI = Shop("website", "main"), Shop("miniprogram", "main")
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
W, M = ids.text(ids.profile_id("website", "w")), ids.text(ids.profile_id("miniprogram", "m"))
SURVIVOR = min(W, M)


@pytest.fixture
async def people(key_for) -> dict[str, str]:
    """The headers of somebody who runs the hub."""
    return await key_for(None, "members:read", "members:write") | {"Idempotency-Key": "first"}


@pytest.fixture
async def merged(take) -> None:
    """A member of two accounts that share a phone."""
    await take(
        WEB.body("member.registered", 1, account="w", identifiers=[PHONE], name="王小明"),
        MINI.body("member.registered", 2, account="m", identifiers=[PHONE]),
        WEB.body("points.earned", 3, account="w", points=100),
        MINI.body("points.earned", 4, account="m", points=50),
    )


async def points(http, people: dict[str, str], member: str) -> int:
    return (await http.get(f"/v1/members/{member}/points", headers=people)).json()["balance"]


async def post(http, path: str, headers: dict[str, str], **body: Any) -> Any:
    return await http.post(f"/v1/members/{path}", json=body, headers=headers)


async def test_a_merge_is_undone_by_its_manifest_and_the_points_go_back(
    http, people, merged
) -> None:
    assert await points(http, people, W) == await points(http, people, M) == 150
    found = (await http.get(f"/v1/members/{W}/merges", headers=people)).json()["merges"]
    (manifest,) = found
    assert manifest["members_before"] == {W: [W], M: [M]}
    assert manifest["rule_version"] == "match-2"
    undone = await post(http, f"{M}/split", people, merge_id=manifest["merge_id"], reason="two")
    assert (undone.status_code, undone.json()) == (200, {"member_ids": sorted([W, M])})
    assert await points(http, people, W) == 100
    assert await points(http, people, M) == 50
    again = await post(http, f"{M}/split", people, merge_id=manifest["merge_id"], reason="two")
    assert again.json() == undone.json()


async def test_members_that_were_parted_are_merged_when_somebody_says_so(
    http, people, merged
) -> None:
    assert (await post(http, f"{W}/split", people, profile_ids=[W])).status_code == 200
    back = people | {"Idempotency-Key": "second"}
    answer = await post(http, f"{W}/merge", back, other_id=M)
    assert answer.json() == {"member_ids": [SURVIVOR]}
    assert await points(http, people, W) == 150


async def test_a_merge_of_who_was_parted_before_takes_back_what_parted_them(
    http, people, merged, take, writer
) -> None:
    email = {"type": "email", "value": "x@example.com", "proof": "verified"}
    await take(
        Shop("store").body("member.registered", 1, account="s", identifiers=[email]),
        MINI.body("member.identified", 5, account="m", identifiers=[email]),
    )
    store = ids.text(ids.profile_id("store", "s"))
    parted = await post(http, f"{W}/split", people, profile_ids=[W])
    assert sorted(parted.json()["member_ids"]) == sorted([W, min(M, store)])
    again = people | {"Idempotency-Key": "second"}
    answer = await post(http, f"{W}/merge", again, other_id=store)
    assert answer.json() == {"member_ids": [min(W, M, store)]}
    rulings = await writer.fetch("select is_one from member_rulings")
    assert [row["is_one"] for row in rulings] == [True, True]
    third = people | {"Idempotency-Key": "third"}
    assert (await post(http, f"{W}/merge", third, other_id=M)).status_code == 409


async def test_a_preview_shows_balances_and_what_speaks_against_a_merge(
    http, people, take, writer
) -> None:
    unionids = [{"type": "unionid", "value": f"u{n}", "proof": "verified"} for n in (1, 2)]
    await take(
        WEB.body("member.registered", 1, account="w", identifiers=[PHONE, unionids[0]]),
        MINI.body("member.registered", 2, account="m", identifiers=[PHONE, unionids[1]]),
        WEB.body("points.earned", 3, account="w", points=100),
        WEB.body("coupon.issued", 3, code="C1", kind="discount", account="w"),
        MINI.decision("member.split", 4, account="m", other={"channel": "website", "account": "w"}),
    )
    answer = await post(http, "merge-preview", people, member_ids=[W, M])
    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["survivor_id"], shown["points"]) == (SURVIVOR, 100)
    assert {m["member_id"]: (m["points"], m["coupons"], m["orders"]) for m in shown["members"]} == {
        W: (100, 1, 0),
        M: (0, 0, 0),
    }
    assert shown["conflicts"] == [
        {"kind": "ruled_apart", "about": ""},
        {"kind": "differ", "about": "unionid"},
    ]
    assert await writer.fetchval("select count(*) from member_merges") == 0


async def test_an_erased_member_leaves_certificates_and_nothing_personal(
    http, people, merged, writer
) -> None:
    answer = await post(http, f"{W}/erase", people, reason="asked for it")
    assert answer.status_code == 200
    certificates = answer.json()["certificates"]
    assert {one["profile_id"] for one in certificates} == {W, M}
    assert all(one["results"]["keys"] == "dropped" for one in certificates)
    read = await http.get(f"/v1/members/{M}/erasure", headers=people)
    assert read.json()["certificates"][0]["profile_id"] == M
    shown = (await http.get(f"/v1/members/{W}", headers=people)).json()
    assert [(p["profile_id"], p["account"], p["name"]) for p in shown["profiles"]] == [
        (W, "", None)
    ]
    assert shown["attributes"] == []
    assert await writer.fetchval("select count(*) from log.profile_keys") == 0
    assert await points(http, people, W) == 100
    lookup = await http.post("/v1/members/lookup", json=PHONE | {"proof": None}, headers=people)
    assert lookup.status_code in (404, 422)
    again = people | {"Idempotency-Key": "again"}
    assert (await post(http, f"{W}/erase", again)).status_code == 409


async def test_an_account_nobody_has_heard_of_is_erased_and_stays_gone_when_its_events_come(
    http, people, take, key_for, writer
) -> None:
    named = {"channel": "website", "account": "w", "reason": "asked for it"}
    answer = await post(http, "erase", people, **named)
    assert answer.status_code == 200, answer.text
    assert [one["profile_id"] for one in answer.json()["certificates"]] == [W]
    await take(
        WEB.body("member.registered", 1, account="w", identifiers=[PHONE], name="王小明"),
        WEB.body("points.earned", 3, account="w", points=100),
    )
    assert await points(http, people, W) == 100
    assert await writer.fetchval("select count(*) from profile_identifiers") == 0
    assert await writer.fetchval("select count(*) from log.profile_keys") == 0
    assert await writer.fetchval("select max(account) from profiles") == ""
    bodies = "select count(*) from log.events where position('王小明'::bytea in body) > 0"
    assert await writer.fetchval(bodies) == 0
    other = await key_for("miniprogram", "members:write") | {"Idempotency-Key": "x"}
    assert (await post(http, "erase", other, **named)).status_code == 403
    again = people | {"Idempotency-Key": "again"}
    assert (await post(http, "erase", again, account="w")).status_code == 422


async def test_what_a_clock_ahead_of_ours_said_is_forgotten_too(http, people, take, writer) -> None:
    now = datetime.now(UTC)
    minutes_ahead = (now + timedelta(hours=3) - record(b"").produced_at).total_seconds() / 60
    ahead = minutes_ahead + 30 * 24 * 60
    body = WEB.body("member.registered", ahead, account="w", identifiers=[PHONE])
    async with writer.transaction():
        taken = record(body, now=now)
        assert taken.bad is None
        vault = Vault((await _settings(http)).secret())
        await apply.apply(writer, vault, [taken], "cluster")
    assert (await post(http, f"{W}/erase", people)).status_code == 200
    assert await writer.fetchval("select count(*) from profile_identifiers") == 0


async def _settings(http) -> Any:
    return http._transport.app.state.resources.settings


async def test_a_channels_key_erases_its_own_accounts_and_rules_about_none(
    http, merged, key_for, writer
) -> None:
    shop = await key_for("website", "members:read", "members:write") | {"Idempotency-Key": "x"}
    for path, body in (
        (f"{W}/merge", {"other_id": M}),
        (f"{W}/split", {"profile_ids": [W]}),
        ("merge-preview", {"member_ids": [W, M]}),
    ):
        assert (await post(http, path, shop, **body)).status_code == 403
    assert (await http.get(f"/v1/members/{W}/merges", headers=shop)).status_code == 403
    answer = await post(http, f"{W}/erase", shop)
    assert [one["profile_id"] for one in answer.json()["certificates"]] == [W]
    assert (await http.get(f"/v1/members/{M}/erasure", headers=shop)).status_code == 404
    kept = await writer.fetchval("select account from profiles where channel = 'miniprogram'")
    assert kept == "m"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("split", {"profile_ids": [W, M]}, "profile_ids"),
        ("split", {"profile_ids": []}, "profile_ids"),
        ("split", {"profile_ids": [SURVIVOR[:-4] + "0000"]}, "profile_ids"),
        ("split", {"merge_id": W}, "merge_id"),
        ("split", {"role": "admin"}, "role"),
        ("merge", {}, "other_id"),
        ("erase", {"reason": "x" * 257}, "reason"),
    ],
)
async def test_a_wrong_field_is_named(http, people, merged, path, body, field) -> None:
    answer = await post(http, f"{W}/{path}", people, **body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_each_attribute_shows_where_its_value_is_from(http, people, merged, take) -> None:
    consent = {"account": "m", "purpose": "marketing", "medium": "sms", "granted": True}
    await take(
        WEB.body("member.updated", 6, account="w", attributes={"store": "xuhui", "level": "1"}),
        MINI.body("member.updated", 5, account="m", attributes={"store": "pudong"}),
        MINI.body("member.consent_changed", 7, **consent),
    )
    shown = (await http.get(f"/v1/members/{W}", headers=people)).json()
    assert {a["name"]: (a["value"], a["channel"]) for a in shown["attributes"]} == {
        "name": ("***", "website"),
        "store": ("xuhui", "website"),
        "level": ("1", "website"),
    }
    (allowed,) = shown["consents"]
    assert (allowed["purpose"], allowed["medium"], allowed["is_granted"]) == (
        "marketing",
        "sms",
        True,
    )
