"""Another matching policy, put in place by a replay and its swap."""

from typing import Any

import pytest

from hub.domain import policy
from hub.store import check
from hub.store.digest import digest
from hub.store.replay import replay
from tests.event_maker import Shop
from tests.integration.store.stage import Store
from tests.integration.store.test_members import PHONE, members, proved, shows

WEB, MINI = Shop("web"), Shop("mini")
EMAIL = proved("email", "x@example.com")
BOLD = policy.read(
    b'{"version": "bold", "types": {"unionid": {}, "phone": {}, "email": {"joins": false}}}'
)
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


async def test_a_replay_under_another_policy_and_a_swap_give_the_members_it_says(
    known: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await digest(known.connection)
    monkeypatch.setattr(policy, "default", lambda: BOLD)
    result = await swapped(known)
    assert {"profiles", "members", "member_links"} <= {d.table for d in result.differences}
    assert result.swapped
    assert await members(known) == BY_BOLD
    links = await known.rows(
        "select distinct rule_version from member_links where valid_to is null"
    )
    assert links == [{"rule_version": "bold"}]
    assert await known.value("select sum(open_points)::int from points_accounts") == 40
    assert not await broken(known)
    # What comes next follows the new policy, and the way back is the same.
    await known.take(shows(MINI, "c", 20, EMAIL))
    assert len(await members(known)) == 4
    monkeypatch.undo()
    await swapped(known)
    assert await members(known) == [{"mini/b", "mini/c", "web/a"}, *BY_DEFAULT[1:]]
    assert not await broken(known)
    now = await digest(known.connection)
    assert now["points_lots"] == before["points_lots"]


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
