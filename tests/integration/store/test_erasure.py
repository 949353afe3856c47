"""A person who was erased is gone from every table; what was bought and paid stays."""

import contextlib
from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import msgspec
import pytest

from hub.domain import ids
from hub.store import check, log
from hub.store.digest import digest
from hub.store.replay import replay
from tests.event_maker import Shop, line, record
from tests.integration.store.stage import Store
from tests.integration.store.test_members import holdings, members, open_cases
from tests.integration.store.test_personal_data import PERSONAL, RECIPIENT, everything_kept

WEB, MINI = Shop("web"), Shop("mini")
PHONE = {"type": "phone", "value": "139 1234 5678", "proof": "verified"}
EMAIL = {"type": "email", "value": "Xiaoming@example.com", "proof": "verified"}


def registered(shop: Shop, account: str, minute: float, *identifiers: dict[str, str]) -> bytes:
    data: dict[str, Any] = {"identifiers": identifiers, "attributes": {"level": "gold"}}
    return shop.body("member.registered", minute, account=account, name="王小明", **data)


def erased(shop: Shop, account: str, minute: float) -> bytes:
    return shop.decision("member.erased", minute, account=account, reason="asked for it")


def bought(shop: Shop, account: str, minute: float, number: str = "1") -> list[bytes]:
    cake = line(1, "cake", 1, "30.00")
    content = {"order_number": number, "currency": "CNY", "lines": [cake], "total": "30.00"}
    paid = {"order_number": number, "currency": "CNY", "amount": "30.00", "method": "wx"}
    buyer = {"account": account}
    return [
        shop.body("order.placed", minute, buyer=buyer, recipient=RECIPIENT, **content),
        shop.body("order.paid", minute + 1, payment_id="p", **paid),
    ]


def refunded(shop: Shop, minute: float, number: str = "1") -> bytes:
    refund = {"order_number": number, "refund_id": "r", "currency": "CNY", "amount": "30.00"}
    return shop.body("refund.succeeded", minute, **refund)


async def personal_left(store: Store) -> set[str]:
    """Where personal values stand: in clear, or sealed under a key that is still there."""
    kept = await everything_kept(store)
    rows = await store.rows("select body, sealed_by, event_key from log.events")
    opened = await log.open_bodies(
        store.connection, store.vault, [(r["body"], r["sealed_by"], r["event_key"]) for r in rows]
    )
    kept += [("opened log", (body or b"").decode("latin-1")) for body in opened]
    forms = {form for value in PERSONAL for form in (value, msgspec.json.encode(value).decode())}
    forms |= {form.encode().decode("latin-1") for form in forms}
    return {where for where, text in kept if any(form.strip('"') in text for form in forms)}


@contextlib.asynccontextmanager
async def undone(store: Store) -> AsyncIterator[None]:
    """What is done within leaves nothing behind."""
    transaction = store.connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def broken(store: Store) -> list[str]:
    results = await check.run(store.database.dsn("writer"))
    return [result.name for result in results if result.violations]


async def test_erase_while_a_refund_is_open_the_money_part_completes(store: Store) -> None:
    """Personal data is gone."""
    await store.take(registered(WEB, "w", 1, PHONE, EMAIL), *bought(WEB, "w", 2))
    assert await personal_left(store) == {"opened log"}
    await store.take(erased(WEB, "w", 9))
    await store.take(refunded(WEB, 12))
    order = await store.row("select * from orders")
    assert (order["total_minor"], order["paid_minor"], order["refunded_minor"]) == (
        3000,
        3000,
        3000,
    )
    assert order["profile_id"] == ids.profile_id("web", "w")
    assert await personal_left(store) == set()
    profile = await store.row("select * from profiles")
    assert (profile["account"], profile["personal"], profile["attributes"]) == ("", None, {})
    assert await store.value("select count(*) from profile_identifiers") == 0
    assert await store.value("select count(*) from log.profile_keys") == 0
    assert await broken(store) == []


async def test_erase_one_half_of_a_merged_member(store: Store) -> None:
    await store.take(
        registered(WEB, "w", 1, PHONE), registered(MINI, "m", 2, PHONE),
        WEB.body("points.earned", 3, account="w", points=100),
        MINI.body("points.earned", 3, account="m", points=50),
    )  # fmt: skip
    await store.take(erased(WEB, "w", 9))
    assert await members(store) == [{"mini/m"}, {"web/"}]
    assert await holdings(store, "m") == (50, 0, 0)
    assert await store.value("select sum(open_points)::int from points_accounts") == 150
    kept = await store.row("select count(*) from profile_identifiers")
    assert kept["count"] == 1
    assert await store.value("select count(*) from member_merges where kind = 'merged'") == 0
    assert await broken(store) == []


async def test_late_events_do_not_bring_an_erased_person_back(store: Store) -> None:
    late = [registered(WEB, "w", 1, PHONE, EMAIL), *bought(WEB, "w", 2), refunded(WEB, 4)]
    await store.take(erased(WEB, "w", 9))
    await store.take(*late)
    assert await personal_left(store) == set()
    assert await store.value("select count(*) from profile_identifiers") == 0
    assert (await store.row("select refunded_minor from orders"))["refunded_minor"] == 3000
    outcome = await store.value("select reason from log.inbox where outcome = 'ignored'")
    assert outcome == "the person was erased after this"
    assert (await store.take(*late)).duplicates == 4
    assert await broken(store) == []


async def test_an_account_that_comes_back_after_its_erasure_starts_anew(store: Store) -> None:
    bodies = [
        registered(WEB, "w", 1, PHONE), registered(MINI, "m", 1, PHONE), erased(WEB, "w", 9),
        WEB.body("member.updated", 20, account="w", identifiers=[EMAIL], name="李雷"),
    ]  # fmt: skip
    for order in (bodies, [bodies[3], *bodies[:3]], [bodies[2], bodies[3], *bodies[:2]]):
        async with undone(store):
            await store.take(*order[:2])
            await store.take(*order[2:])
            held = await store.row(
                "select identifier_type, account from profile_identifiers join profiles"
                " using (profile_id) where channel = 'web'"
            )
            assert held == {"identifier_type": "email", "account": "w"}
            assert len(await members(store)) == 2
            rows = await store.rows("select body, sealed_by, event_key from log.events")
            opened = await log.open_bodies(
                store.connection,
                store.vault,
                [(r["body"], r["sealed_by"], r["event_key"]) for r in rows],
            )
            assert sum("李雷" in (body or b"").decode() for body in opened) == 1


async def test_erasing_in_any_order_ends_in_the_same_state(store: Store) -> None:
    told = [registered(WEB, "w", 1, PHONE), erased(WEB, "w", 9), registered(MINI, "m", 2, PHONE)]
    told.append(bought(WEB, "w", 3)[0])
    found = []
    for arrived in permutations(told):
        async with undone(store):
            for body in arrived:
                await store.take(body)
            found.append(await digest(store.connection))
    assert all(one == found[0] for one in found)


async def test_a_replay_meets_the_erasure_and_ends_in_the_same_state(store: Store) -> None:
    await store.take(registered(WEB, "w", 1, PHONE), registered(MINI, "m", 2, PHONE))
    await store.take(*bought(WEB, "w", 3), erased(WEB, "w", 9))
    await store.take(registered(WEB, "w", 4, EMAIL), refunded(WEB, 12))
    result = await replay(store.database.dsn("owner"), store.vault)
    assert result.differences == []
    assert (result.is_equal, result.erased) == (True, 2)


async def test_dead_letters_of_an_erased_person_are_emptied_and_others_stay(store: Store) -> None:
    await store.take(registered(WEB, "w", 1, PHONE))
    broken_off = registered(WEB, "w", 2)[:-5]
    by_phone = MINI.body("member.updated", 3, account="?", identifiers=[PHONE])[:-5]
    other = registered(MINI, "w", 4)[:-5].replace("王小明".encode(), b"x")
    letters = [record(body, topic="t") for body in (broken_off, by_phone, other)]
    assert (await store.take(*letters)).dead_letters == 3
    await store.take(erased(WEB, "w", 9))
    rows = await store.rows("select state, body is null as is_empty from log.dead_letters")
    assert sorted((row["state"], row["is_empty"]) for row in rows) == [
        ("dismissed", True), ("dismissed", True), ("open", False),
    ]  # fmt: skip


async def test_a_certificate_lists_each_store_and_its_result(store: Store) -> None:
    await store.take(registered(WEB, "w", 1, PHONE), *bought(WEB, "w", 2))
    await store.take(erased(WEB, "w", 9))
    certificate = await store.row("select * from log.erasures")
    assert certificate["profile_id"] == ids.profile_id("web", "w")
    results = certificate["results"]
    assert results["log of events"] == "2 events emptied or redacted"
    assert results["keys"] == "dropped"
    stores = {"profile, identifiers, consents", "dead letters", "outbox", "marts", "Kafka"}
    assert stores < results.keys()


async def test_a_case_about_a_shared_number_goes_with_one_of_its_two(store: Store) -> None:
    unionids = [{"type": "unionid", "value": f"u{n}", "proof": "verified"} for n in (1, 2)]
    await store.take(registered(WEB, "w", 1, PHONE, unionids[0]))
    await store.take(registered(MINI, "m", 2, PHONE, unionids[1]))
    assert await open_cases(store) == ["identifier_shared"]
    await store.take(erased(WEB, "w", 9))
    assert await store.value("select count(*) from cases") == 0
    standing = await store.rows("select distinct standing from profile_identifiers")
    assert [row["standing"] for row in standing] == ["joins"]


@pytest.mark.parametrize("kind", ["merged", "split"])
async def test_what_was_ruled_about_a_person_is_void_once_they_are_erased(
    store: Store, kind: str
) -> None:
    other = {"channel": "mini", "account": "m"}
    await store.take(WEB.decision(f"member.{kind}", 1, account="w", other=other, reason="x"))
    await store.take(erased(WEB, "w", 9))
    again = {"account": "w", "identifiers": [PHONE]}
    await store.take(WEB.body("member.updated", 12, **again), registered(MINI, "m", 2, EMAIL))
    assert len(await members(store)) == 2
    await store.take(MINI.body("member.updated", 13, account="m", identifiers=[PHONE]))
    assert len(await members(store)) == 1


async def test_manifests_of_those_who_are_left_stay_when_one_of_them_is_erased(
    store: Store,
) -> None:
    """Live and in a replay, which never sees the erased one join."""
    third = Shop("app")
    joined = [registered(shop, name, 1, PHONE) for shop, name in ((WEB, "w"), (MINI, "m"))]
    joined.append(registered(third, "a", 1, PHONE))
    for shop, account in ((WEB, "w"), (MINI, "m"), (third, "a")):
        async with undone(store):
            found = []
            for order in permutations([*joined, erased(shop, account, 9)]):
                async with undone(store):
                    for body in order:
                        await store.take(body)
                    found.append((await digest(store.connection))["member_merges"])
            assert len(set(found)) == 1
    for body in (*joined, erased(WEB, "w", 9)):
        await store.take(body)
    named = await store.rows("select members_before || members_after as m from member_merges")
    gone = ids.text(ids.profile_id("web", "w"))
    assert named
    assert not any(gone in profiles for row in named for profiles in row["m"].values())
    assert (await replay(store.database.dsn("owner"), store.vault)).differences == []


async def test_a_manifest_that_is_missing_is_named_by_the_replay_and_mended_by_its_swap(
    store: Store,
) -> None:
    await store.take(registered(WEB, "w", 1, PHONE))
    await store.take(registered(MINI, "m", 2, PHONE))
    whole = await digest(store.connection)
    await store.connection.execute("update member_merges set members_after = '{}'")
    assert (await digest(store.connection))["member_merges"] != whole["member_merges"]
    result = await replay(store.database.dsn("owner"), store.vault, swap=True)
    assert [one.table for one in result.differences] == ["member_merges"]
    assert await digest(store.connection) == whole
