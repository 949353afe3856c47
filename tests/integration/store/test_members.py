"""Members in the store: joined, parted again, and what they hold going with them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hub.domain import ids
from hub.store import apply, check, db
from hub.store.records import Record
from tests.event_maker import START, Shop, at, line, record
from tests.integration.store.stage import CLUSTER, Store

WEB, MINI, TILL = Shop("web"), Shop("mini"), Shop("store")
MONTHS = 60 * 24 * 30.0
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}


def proved(kind: str, value: str, **more: str) -> dict[str, str]:
    return {"type": kind, "value": value, "proof": "verified"} | more


def shows(shop: Shop, account: str, minute: float, *identifiers: dict[str, str]) -> bytes:
    return shop.body("member.identified", minute, account=account, identifiers=identifiers)


def said(kind: str, one: tuple[Shop, str], other: tuple[Shop, str], minute: float) -> bytes:
    named = {"channel": other[0].channel, "account": other[1]}
    return one[0].decision(f"member.{kind}", minute, account=one[1], other=named, reason="seen")


async def members(store: Store) -> list[set[str]]:
    """Each member as the accounts that belong to it."""
    rows = await store.rows(
        "select array_agg(channel || '/' || account) as accounts from profiles group by member_id"
    )
    return sorted((set(row["accounts"]) for row in rows), key=min)


async def open_cases(store: Store) -> list[str]:
    rows = await store.rows("select kind from cases where state = 'open' order by kind")
    return [row["kind"] for row in rows]


async def broken(store: Store) -> dict[str, list[dict[str, Any]]]:
    results = await check.run(store.database.dsn("writer"))
    return {result.name: result.sample for result in results if result.violations}


async def test_unionid_arrives_3_months_after_openid_and_is_attached(store: Store) -> None:
    await store.take(shows(MINI, "m", -3 * MONTHS, proved("openid", "o1", app="cake")))
    await store.take(shows(MINI, "m", 1, proved("unionid", "u1")))
    held = await store.rows("select identifier_type from profile_identifiers order by 1")
    assert [row["identifier_type"] for row in held] == ["openid", "unionid"]
    assert await members(store) == [{"mini/m"}]


async def test_unionid_that_another_member_owns_merges_by_rule(store: Store) -> None:
    await store.take(
        shows(MINI, "m", -3 * MONTHS, proved("openid", "o1", app="cake")),
        shows(WEB, "w", 2, proved("unionid", "u1")),
    )
    await store.take(shows(MINI, "m", 1, proved("unionid", "u1")))
    assert await members(store) == [{"mini/m", "web/w"}]
    manifest = await store.row("select * from member_merges")
    assert manifest["kind"] == "merged"
    assert manifest["rule_version"] == "match-2"
    assert len(manifest["members_before"]) == 2
    (edge,) = manifest["edges"]
    assert edge["identifier_type"] == "unionid"
    assert len(edge["profiles"]) == 2
    link = await store.row("select * from member_links where reason = 'shared_identifier'")
    assert (link["rule_version"], link["evidence"]["identifier_type"]) == ("match-2", "unionid")


async def test_a_family_shares_one_phone_two_unionids_no_automatic_merge_a_review_case(
    store: Store,
) -> None:
    await store.take(
        shows(MINI, "mother", 1, PHONE, proved("unionid", "u1")),
        shows(MINI, "daughter", 2, PHONE, proved("unionid", "u2")),
    )
    assert await members(store) == [{"mini/daughter"}, {"mini/mother"}]
    assert await open_cases(store) == ["identifier_shared"]
    await store.take(said("split", (MINI, "mother"), (MINI, "daughter"), 5))
    assert await open_cases(store) == []
    await store.take(said("merged", (MINI, "mother"), (MINI, "daughter"), 9))
    assert await members(store) == [{"mini/daughter", "mini/mother"}]
    assert await broken(store) == {}


async def test_unionids_of_two_open_platforms_are_no_sign_of_two_persons(store: Store) -> None:
    """A person has another unionid in each; two of one platform are two persons."""
    unionids = [
        proved("unionid", f"u{n}", platform=platform)
        for n, platform in enumerate(("cakes", "teas", "cakes"))
    ]
    for n, (shop, unionid) in enumerate(zip((WEB, MINI, TILL), unionids, strict=True)):
        await store.take(shows(shop, "a", n, PHONE, unionid))
    assert await members(store) == [{"mini/a", "web/a"}, {"store/a"}]
    assert await open_cases(store) == ["identifier_shared"]
    assert await broken(store) == {}


@pytest.mark.parametrize("is_late_first", [False, True])
async def test_a_carrier_gives_a_phone_to_a_new_person_the_old_member_keeps_the_wallet(
    store: Store, is_late_first: bool
) -> None:
    """The link is closed with a date, a case is opened."""
    later = 1.0
    bodies = [
        shows(MINI, "old", -4 * MONTHS, PHONE, proved("unionid", "u1")),
        shows(WEB, "old", -3.5 * MONTHS, PHONE),
        WEB.body("points.earned", 3, account="old", points=80),
        shows(MINI, "new", later, PHONE, proved("unionid", "u2")),
    ]
    for body in reversed(bodies) if is_late_first else bodies:
        await store.take(body)
    assert await members(store) == [{"mini/new"}, {"mini/old", "web/old"}]
    closed = await store.rows(
        "select valid_to from profile_identifiers where standing = 'closed'"
        " and identifier_type = 'phone'"
    )
    assert [row["valid_to"] for row in closed] == [at(later)] * 2
    assert await open_cases(store) == ["identifier_reassigned"]
    assert (
        await store.value(
            "select sum(open_points)::int from points_accounts as a join profiles as p"
            " using (profile_id) where p.account = 'old'"
        )
        == 80
    )
    assert await broken(store) == {}


@pytest.mark.parametrize("value", ["00000000000", "null", "13800138000"])
async def test_a_blocked_value_as_phone_merges_nobody(store: Store, value: str) -> None:
    filler = proved("phone", value)
    await store.take(shows(WEB, "a", 1, filler), shows(MINI, "b", 2, filler))
    assert await members(store) == [{"mini/b"}, {"web/a"}]


async def test_a_number_that_was_only_typed_merges_nobody_until_it_is_proved(store: Store) -> None:
    typed = PHONE | {"proof": "declared"}
    await store.take(shows(WEB, "a", 1, typed), shows(MINI, "b", 2, PHONE))
    assert len(await members(store)) == 2
    await store.take(shows(WEB, "a", 3, PHONE))
    assert len(await members(store)) == 1


async def test_a_store_tablets_number_that_very_many_show_parts_them_all(store: Store) -> None:
    await store.take(*(shows(TILL, f"t{n}", n, PHONE) for n in range(20)))
    assert len(await members(store)) == 1
    await store.take(shows(TILL, "t20", 21, PHONE))
    assert len(await members(store)) == 21
    await store.take(shows(TILL, "t21", 22, PHONE), shows(TILL, "t22", 22, PHONE))
    assert len(await members(store)) == 23
    assert await open_cases(store) == ["identifier_overused"]
    assert await broken(store) == {}


async def test_an_event_for_a_merged_away_id_lands_on_the_survivor_and_the_id_is_kept(
    store: Store,
) -> None:
    await store.take(shows(WEB, "w", 1, PHONE), shows(MINI, "m", 2, PHONE))
    profiles = [ids.profile_id("web", "w"), ids.profile_id("mini", "m")]
    survivor, away = min(profiles), max(profiles)
    shop, account = (WEB, "w") if away == profiles[0] else (MINI, "m")
    await store.take(shop.body("points.earned", 9, account=account, points=7))
    entry = await store.row(
        "select profile_id, member_id from points_entries join profiles using (profile_id)"
    )
    assert entry == {"profile_id": away, "member_id": survivor}
    row = await store.row("select merged_into from members where member_id = $1", away)
    assert row["merged_into"] == survivor


async def holdings(store: Store, account: str) -> tuple[int, int, int]:
    """(points, coupons, orders) of the whole member whom an account belongs to."""
    row = await store.row(
        "with mine as (select profile_id from profiles where member_id ="
        " (select member_id from profiles where account = $1))"
        " select (select coalesce(sum(open_points), 0)::int from points_accounts"
        " where profile_id in (select * from mine)) as points,"
        " (select count(*) from coupons where profile_id in (select * from mine)) as coupons,"
        " (select count(*) from orders where profile_id in (select * from mine)) as orders",
        account,
    )
    return row["points"], row["coupons"], row["orders"]


async def test_an_unmerge_gives_points_coupons_and_orders_back_to_whom_they_came(
    store: Store,
) -> None:
    def bought(shop: Shop, account: str, number: str) -> bytes:
        cake = line(1, "cake", 1, "30.00")
        content = {"order_number": number, "currency": "CNY", "lines": [cake], "total": "30.00"}
        return shop.body("order.placed", 3, buyer={"account": account}, **content)

    await store.take(
        shows(WEB, "w", 1, PHONE), shows(MINI, "m", 2, PHONE),
        WEB.body("points.earned", 3, account="w", points=100),
        MINI.body("points.earned", 3, account="m", points=50),
        WEB.body("coupon.issued", 3, code="C1", kind="discount", account="w"),
        bought(WEB, "w", "1"), bought(MINI, "m", "1"), bought(MINI, "m", "2"),
    )  # fmt: skip
    assert await holdings(store, "w") == await holdings(store, "m") == (150, 1, 3)
    await store.take(said("split", (WEB, "w"), (MINI, "m"), 9))
    await store.take(MINI.body("points.redeemed", 12, account="m", points=20))
    assert await holdings(store, "w") == (100, 1, 1)
    assert await holdings(store, "m") == (30, 0, 2)
    # The same evidence again, and a new one, do not override what a person said.
    await store.take(
        shows(WEB, "w", 20, PHONE), shows(MINI, "m", 21, PHONE, proved("email", "x@example.com"))
    )
    await store.take(shows(WEB, "w", 22, proved("email", "x@example.com")))
    assert len(await members(store)) == 2
    kinds = await store.rows("select kind from member_merges order by merged_at")
    assert [row["kind"] for row in kinds] == ["merged", "split"]
    assert await store.value("select count(*) from member_links where valid_to is null") == 2
    assert await store.value("select count(*) from members where merged_into is not null") == 0
    assert await broken(store) == {}


async def test_merge_of_two_members_who_both_hold_points_keeps_their_lots_and_the_sum(
    store: Store,
) -> None:
    """Lots of different age stay what they are, each with its own expiry."""
    await store.take(
        WEB.body("points.earned", -12 * MONTHS, account="w", points=100),
        MINI.body("points.earned", 3, account="m", points=50),
    )
    lots = await store.rows("select * from points_lots order by lot_id")
    assert len(lots) == 2
    await store.take(shows(WEB, "w", 5, PHONE), shows(MINI, "m", 6, PHONE))
    assert len(await members(store)) == 1
    assert await store.rows("select * from points_lots order by lot_id") == lots
    await store.take(said("split", (WEB, "w"), (MINI, "m"), 9))
    assert await store.rows("select * from points_lots order by lot_id") == lots
    assert await broken(store) == {}


async def test_unmerge_after_spending_spends_go_to_who_made_them_and_the_books_balance(
    store: Store,
) -> None:
    """With new identifiers and spends in between, before and after."""
    await store.take(
        shows(WEB, "w", 1, PHONE), shows(MINI, "m", 2, PHONE),
        WEB.body("points.earned", 3, account="w", points=100),
        MINI.body("points.earned", 3, account="m", points=50),
        WEB.body("points.redeemed", 4, account="w", points=30),
    )  # fmt: skip
    await store.take(
        MINI.body("points.redeemed", 5, account="m", points=50),
        shows(MINI, "m", 6, proved("email", "m@example.com")),
        shows(TILL, "t", 7, proved("email", "m@example.com")),
        TILL.body("points.earned", 8, account="t", points=7),
    )
    assert (await holdings(store, "w"))[0] == 77
    await store.take(said("split", (WEB, "w"), (MINI, "m"), 9))
    assert (await holdings(store, "w"))[0] == 70
    assert (await holdings(store, "m"))[0] == (await holdings(store, "t"))[0] == 7
    await store.take(MINI.body("points.earned", 12, account="m", points=1))
    assert [(await holdings(store, name))[0] for name in ("w", "m", "t")] == [70, 8, 8]
    assert await members(store) == [{"mini/m", "store/t"}, {"web/w"}]
    assert await broken(store) == {}


async def test_crossing_merges_at_the_same_time_have_one_survivor_and_no_cycle(
    store: Store,
) -> None:
    """A with B, B with C, C with A, each by a writer of its own."""
    await store.take(*(shows(WEB, name, 1, proved("card", name)) for name in "abcd"))
    pairs = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "c"), ("b", "a")]
    connections = [await db.connect(store.database.dsn("writer")) for _ in pairs]

    async def join(connection: db.Connection, records: list[Record]) -> None:
        for _ in range(20):
            try:
                async with connection.transaction():
                    await apply.apply(connection, store.vault, records, CLUSTER)
                return
            except db.asyncpg.DeadlockDetectedError:
                continue
        raise AssertionError("never came through")

    async with asyncio.TaskGroup() as writers:
        for number, (connection, (left, right)) in enumerate(zip(connections, pairs, strict=True)):
            phone = proved("phone", f"1391234567{number}")
            bodies = [shows(WEB, left, 2, phone), shows(WEB, right, 3, phone)]
            writers.create_task(join(connection, [record(body) for body in bodies]))
    for connection in connections:
        await connection.close()
    assert await members(store) == [{"web/a", "web/b", "web/c", "web/d"}]
    smallest = min(ids.profile_id("web", name) for name in "abcd")
    rows = await store.rows("select member_id, merged_into from members")
    assert all(row["merged_into"] == smallest for row in rows if row["member_id"] != smallest)
    assert await broken(store) == {}


async def test_an_account_that_two_writers_name_at_once_is_linked_once(store: Store) -> None:
    """A registration and a coupon of the same account are two entities, so neither waits."""
    other = Store(store.database, await db.connect(store.database.dsn("writer")))
    try:
        async with store.connection.transaction():
            first = [record(shows(WEB, "w", 1, PHONE))]
            await apply.apply(store.connection, store.vault, first, CLUSTER)
            issued = WEB.body("coupon.issued", 2, code="C1", kind="discount", account="w")
            late = asyncio.create_task(other.take(issued))
            waits = "select count(*) from pg_locks where not granted"
            while not late.done() and not await store.value(waits):  # noqa: ASYNC110  in Postgres
                await asyncio.sleep(0.01)
        await late
    finally:
        await other.connection.close()
    links = await store.rows("select profile_id from member_links where valid_to is null")
    assert links == [{"profile_id": ids.profile_id("web", "w")}]
    assert await broken(store) == {}


async def test_a_ruling_about_accounts_nobody_saw_yet_waits_for_them(store: Store) -> None:
    await store.take(said("split", (WEB, "w"), (MINI, "m"), 5))
    await store.take(shows(WEB, "w", 1, PHONE), shows(MINI, "m", 2, PHONE))
    assert len(await members(store)) == 2


async def test_consent_is_kept_per_purpose_and_medium(store: Store) -> None:
    def consents(minute: float, medium: str, *, granted: bool) -> bytes:
        said_ = {"purpose": "marketing", "medium": medium, "granted": granted}
        return WEB.body("member.consent_changed", minute, account="w", **said_)

    await store.take(consents(5, "sms", granted=False), consents(1, "email", granted=True))
    await store.take(consents(2, "sms", granted=True))
    rows = await store.rows(
        "select medium, is_granted, changed_at from profile_consents order by 1"
    )
    assert rows == [
        {"medium": "email", "is_granted": True, "changed_at": START + timedelta(minutes=1)},
        {"medium": "sms", "is_granted": False, "changed_at": START + timedelta(minutes=5)},
    ]


async def test_a_manifest_names_the_events_that_brought_its_own_merge_about(store: Store) -> None:
    """However many others came in the same write."""
    cards = [proved("card", f"C-{n}") for n in range(3)]
    for shop in (WEB, MINI):
        await store.take(*(shows(shop, f"a{n}", 1) for n in range(3)))
    await store.take(*(shows(WEB, f"a{n}", 2, cards[n]) for n in range(3)))
    bodies = [shows(MINI, f"a{n}", 3, cards[n]) for n in range(3)]
    bodies.append(said("merged", (TILL, "t"), (WEB, "a0"), 4))
    await store.take(*bodies)
    rows = await store.rows("select event_keys from member_merges")
    assert sorted(len(row["event_keys"]) for row in rows) == [1, 1, 2]
    named = [key for row in rows for key in row["event_keys"]]
    assert len(named) == len(set(named))
