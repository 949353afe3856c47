"""Another matching policy: published, or come with another version of the hub."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from hub.domain import policy
from hub.errors import Refused
from hub.store import check, configs, matching_policies
from hub.store.configs import Draft
from hub.store.digest import digest
from hub.store.replay import replay
from tests.event_maker import Shop
from tests.integration.store.stage import Store
from tests.integration.store.test_members import PHONE, members, proved, shows

WEB, MINI = Shop("web"), Shop("mini")
EMAIL = proved("email", "x@example.com")
BOLD = {
    "version": "bold",
    "types": [{"type": "unionid"}, {"type": "phone"}, {"type": "email", "joins": False}],
}
"""A family's number joins them, and an e-mail address nobody."""
BY_DEFAULT: list[set[str]] = [{"mini/b", "web/a"}, {"mini/daughter"}, {"web/mother"}]
BY_BOLD: list[set[str]] = [{"mini/b"}, {"mini/daughter", "web/mother"}, {"web/a"}]


@pytest.fixture
async def known(store: Store) -> Store:
    """A family that shares a phone, and one person with two accounts, each with points."""
    shown: list[tuple[Shop, str, list[dict[str, str]]]] = [
        (WEB, "mother", [PHONE, proved("unionid", "u1")]),
        (MINI, "daughter", [PHONE, proved("unionid", "u2")]),
        (WEB, "a", [EMAIL]),
        (MINI, "b", [EMAIL]),
    ]
    for minute, (shop, account, identifiers) in enumerate(shown):
        await store.take(shows(shop, account, minute, *identifiers))
        await store.take(shop.body("points.earned", 9, account=account, points=10))
    assert await members(store) == BY_DEFAULT
    return store


async def swapped(store: Store) -> Any:
    return await replay(store.database.dsn("owner"), store.vault, swap=True)


async def broken(store: Store) -> list[str]:
    results = await check.run(store.database.dsn("writer"))
    return [result.name for result in results if result.violations]


async def publish(store: Store, document: dict[str, Any], **more: Any) -> None:
    draft = Draft(policy.KIND, policy.NAME, document, "a test", **more)
    async with store.connection.transaction():
        await configs.publish(store.connection, store.vault, draft)


async def test_a_policy_that_is_published_joins_and_parts_as_it_says_and_points_stay(
    known: Store,
) -> None:
    before = await digest(known.connection)
    await publish(known, BOLD)
    assert await members(known) == BY_BOLD
    links = await known.rows(
        "select distinct rule_version from member_links"
        " where valid_to is null and reason <> 'first_seen'"
    )
    assert links == [{"rule_version": "bold"}]
    manifests = await known.rows("select kind, rule_version from member_merges order by kind")
    assert {"kind": "split", "rule_version": "bold"} in manifests
    assert await known.value("select sum(open_points)::int from points_accounts") == 40
    assert not await broken(known)
    # What comes next follows it, and so does a replay.
    await known.take(shows(MINI, "c", 20, EMAIL))
    assert len(await members(known)) == 4
    again = await replay(known.database.dsn("owner"), known.vault)
    assert again.is_equal, again.differences
    # The way back is the same.
    own = json.loads((files("hub.domain") / "matching_policy.json").read_bytes())
    await publish(known, own)
    assert await members(known) == [{"mini/b", "mini/c", "web/a"}, *BY_DEFAULT[1:]]
    assert not await broken(known)
    now = await digest(known.connection)
    assert now["points_lots"] == before["points_lots"]


async def test_a_policy_of_a_newer_version_of_the_hub_is_put_in_place_by_a_replay(
    known: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "default", lambda: policy.read(BOLD))
    result = await swapped(known)
    assert {"profiles", "members", "member_links"} <= {d.table for d in result.differences}
    assert result.swapped
    assert await members(known) == BY_BOLD
    assert not await broken(known)


async def test_a_policy_for_later_or_of_too_many_people_is_refused_and_nothing_is_changed(
    known: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await digest(known.connection)
    with pytest.raises(Refused) as refused:
        await publish(known, BOLD, valid_from=datetime(2099, 1, 1, tzinfo=UTC))
    assert refused.value.code == "config_at_once"
    monkeypatch.setattr(matching_policies, "PROFILES_MAX", 3)
    with pytest.raises(Refused) as refused:
        await publish(known, BOLD)
    assert refused.value.code == "too_many_profiles"
    assert await digest(known.connection) == before
    monkeypatch.setattr(matching_policies, "PROFILES_MAX", 4)
    await publish(known, BOLD)
    assert await members(known) == BY_BOLD


async def test_a_link_that_leads_to_another_member_is_named_by_the_replay_and_mended(
    known: Store,
) -> None:
    await known.connection.execute(
        "update member_links set member_id = profile_id where valid_to is null"
    )
    result = await swapped(known)
    assert [d.table for d in result.differences] == ["member_links"]
    again = await replay(known.database.dsn("owner"), known.vault)
    assert again.is_equal, again.differences
