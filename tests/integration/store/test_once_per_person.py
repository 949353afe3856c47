"""Coupons of which a person may use one, where accounts are joined and parted."""

import asyncio
from itertools import permutations

import pytest

from hub.domain import ids
from hub.errors import Refused
from hub.store import apply, check, coupon_commands, db
from hub.store.coupon_commands import Counter
from hub.store.digest import digest
from hub.store.replay import replay
from tests.event_maker import Shop, record
from tests.integration.store.stage import CLUSTER, Store
from tests.integration.store.test_erasure import undone
from tests.integration.store.test_members import PHONE, said, shows

WEB, MINI = Shop("web"), Shop("mini")
ONCE = {"once_per_person": True}


def issued(shop: Shop, code: str, template: str | None = "welcome", **more: object) -> bytes:
    data = {"code": code, "kind": "discount", "account": "a", "terms": ONCE} | more
    if template is not None:
        data["template"] = template
    return shop.body("coupon.issued", 1, event_id=f"i-{code}", **data)


def used(shop: Shop, minute: float, code: str, **more: object) -> bytes:
    data = {"code": code, "redemption_id": f"u-{code}"} | more
    return shop.body("coupon.redeemed", minute, event_id=f"u-{code}", **data)


def undoing(shop: Shop, minute: float, code: str) -> bytes:
    return shop.body("coupon.redemption_reversed", minute, code=code, redemption_id=f"u-{code}")


def both_used() -> list[bytes]:
    coupons = [issued(WEB, "W"), issued(MINI, "M")]
    return [*coupons, used(WEB, 5, "W"), used(MINI, 6, "M", account="a")]


def one_person() -> bytes:
    return said("merged", (WEB, "a"), (MINI, "a"), 9)


async def open_cases(store: Store) -> list[str]:
    rows = await store.rows("select kind from cases where state = 'open' order by kind")
    return [row["kind"] for row in rows]


async def broken(store: Store) -> list[str]:
    results = await check.run(store.database.dsn("writer"))
    return [result.name for result in results if result.violations]


async def test_both_used_a_once_per_person_coupon_it_stays_and_is_flagged(store: Store) -> None:
    await store.take(*both_used())
    assert await open_cases(store) == []
    await store.take(one_person())
    assert await open_cases(store) == ["coupon_once_per_person"]
    status = await store.rows("select status, uses_redeemed from coupons")
    assert [tuple(row.values()) for row in status] == [("redeemed", 1)] * 2
    case = await store.row("select object_key, detail from cases")
    profiles = sorted(ids.profile_id(channel, "a") for channel in ("web", "mini"))
    assert case["object_key"] == f"{ids.text(profiles[0])}/welcome"
    assert case["detail"]["profiles"] == [ids.text(profile) for profile in profiles]
    assert not await broken(store)
    assert (await replay(store.database.dsn("owner"), store.vault)).is_equal


async def test_an_unmerge_closes_the_case_of_a_coupon_that_both_used(store: Store) -> None:
    await store.take(*both_used(), one_person())
    await store.take(said("split", (WEB, "a"), (MINI, "a"), 12))
    assert await open_cases(store) == []
    assert not await broken(store)


async def test_a_use_that_is_undone_closes_the_case(store: Store) -> None:
    await store.take(*both_used(), one_person())
    await store.take(undoing(MINI, 12, "M"))
    assert await open_cases(store) == []
    assert not await broken(store)


async def test_uses_and_the_merge_in_any_order_end_alike(store: Store) -> None:
    told = [*both_used(), one_person()]
    found = set()
    for order in list(permutations(told))[::5]:
        async with undone(store):
            for body in order:
                await store.take(body)
            assert await open_cases(store) == ["coupon_once_per_person"]
            found.add(tuple(sorted((await digest(store.connection)).items())))
    assert len(found) == 1


async def test_two_accounts_that_come_to_use_one_each_after_the_merge_are_flagged_as_well(
    store: Store,
) -> None:
    await store.take(shows(WEB, "a", 1, PHONE), shows(MINI, "a", 2, PHONE))
    await store.take(*both_used())
    assert await open_cases(store) == ["coupon_once_per_person"]


@pytest.mark.parametrize(
    "coupons",
    [
        [issued(WEB, "W", terms={}), issued(MINI, "M", terms={})],
        [issued(WEB, "W", template=None), issued(MINI, "M", template=None)],
        [issued(WEB, "W"), issued(MINI, "M", template="birthday")],
    ],
    ids=["no such terms", "no template", "two templates"],
)
async def test_other_coupons_of_one_person_are_no_case(store: Store, coupons: list[bytes]) -> None:
    await store.take(*coupons, used(WEB, 5, "W"), used(MINI, 6, "M"), one_person())
    assert await open_cases(store) == []
    assert not await broken(store)


async def test_a_card_of_several_uses_is_one_coupon(store: Store) -> None:
    await store.take(issued(WEB, "W", kind="times", uses=3), used(WEB, 5, "W"))
    again = {"code": "W", "redemption_id": "again"}
    await store.take(WEB.body("coupon.redeemed", 6, **again))
    assert await open_cases(store) == []


async def decide(store: Store, channel: str, kind: str, code: str) -> None:
    more = {"redemption_id": f"u-{code}"}
    if kind == "coupon.reserved":
        more = {"reservation_id": "r", "expires_at": "2030-01-01T00:00:00Z"}
    counter = Counter(channel, "1", "a")
    async with store.connection.transaction():
        await coupon_commands.decide(
            store.connection, store.vault, counter, kind, {"code": code} | more
        )


@pytest.mark.parametrize("kind", ["coupon.redeemed", "coupon.reserved"])
async def test_a_second_account_of_a_person_is_refused_its_once_per_person_coupon(
    store: Store, kind: str
) -> None:
    await store.take(issued(WEB, "W"), issued(MINI, "M"), one_person())
    await decide(store, "web", "coupon.redeemed", "W")
    with pytest.raises(Refused) as refused:
        await decide(store, "mini", kind, "M")
    assert refused.value.code == "once_per_person"
    await store.take(said("split", (WEB, "a"), (MINI, "a"), 10**7))
    await decide(store, "mini", kind, "M")
    assert await open_cases(store) == []


async def test_of_two_uses_and_a_merge_at_once_the_case_is_never_missed(store: Store) -> None:
    """Each by a writer of its own: neither sees what the other has not yet committed."""
    for turn in range(5):
        names = [f"{code}-{turn}" for code in ("W", "M")]
        shops = (WEB, MINI)
        for shop, code in zip(shops, names, strict=True):
            await store.take(issued(shop, code, template=f"t-{turn}", account=f"a-{turn}"))
        pair = said("merged", (WEB, f"a-{turn}"), (MINI, f"a-{turn}"), 9)
        bodies = [used(shop, 5, code) for shop, code in zip(shops, names, strict=True)]
        connections = [await db.connect(store.database.dsn("writer")) for _ in range(3)]

        async def take(connection: db.Connection, body: bytes) -> None:
            async with connection.transaction():
                await apply.apply(connection, store.vault, [record(body)], CLUSTER)

        async with asyncio.TaskGroup() as writers:
            for connection, body in zip(connections, [*bodies, pair], strict=True):
                writers.create_task(take(connection, body))
        for connection in connections:
            await connection.close()
        assert await open_cases(store) == ["coupon_once_per_person"] * (turn + 1)
    assert not await broken(store)
