"""A person whom only others' events name is forgotten there too: guests' orders and coupons."""

from itertools import permutations

from hub.domain import ids
from hub.store import check
from hub.store.digest import digest
from hub.store.replay import replay
from tests.event_maker import Shop, line
from tests.integration.store.stage import Store
from tests.integration.store.test_erasure import erased, personal_left, undone
from tests.integration.store.test_guests_coupon import CODE, refusals, shows, sold
from tests.integration.store.test_personal_data import RECIPIENT

WEB, MINI = Shop("web"), Shop("mini")
ORDER = {
    "order_number": "G-1",
    "currency": "CNY",
    "lines": [line(1, "cake", 1, "30.00")],
    "total": "30.00",
}


def guests_order(minute: float = 2, number: str = "G-1") -> bytes:
    named = {"event_id": f"placed-{number}", "order_number": number, "recipient": RECIPIENT}
    return WEB.body("order.placed", minute, **ORDER | named)


def given_on() -> bytes:
    """Its holder, a friend, gives a coupon to the phone."""
    return MINI.body("coupon.transferred", 3, event_id="given", code="GIFT", **TO_PHONE)


TO_PHONE = {"recipient_phone": "8613912345678"}
ISSUED = MINI.body("coupon.issued", 1, event_id="gift", code="GIFT", kind="discount", account="f")
GONE = erased(MINI, "owner", 9)


async def test_a_guests_typed_phone_goes_with_the_person_who_proved_it(store: Store) -> None:
    """Whatever was heard first; what was bought and owed stays, and is nobody else's."""
    told = [sold(), guests_order(), shows("owner", "verified"), GONE]
    ends = set()
    for order in permutations(told):
        async with undone(store):
            for body in order:
                await store.take(body)
            assert await personal_left(store) == set()
            assert await store.value("select count(*) from log.mentions") == 0
            ends.add(tuple(sorted((await digest(store.connection)).items())))
    assert len(ends) == 1
    for body in told:
        await store.take(body)
    coupon = await store.row("select * from coupons")
    assert (coupon["recipient_phone"], coupon["recipient_email"]) == (None, None)
    assert (coupon["recipient_forgotten"], coupon["owed_minor"]) == (True, 16800)
    assert await refusals(store, "stranger") == ["proof_missing", "proof_missing"]
    assert (await store.row("select total_minor from orders"))["total_minor"] == 3000
    assert await store.value("select count(*) from log.profile_keys") == 0
    results = await store.value("select results from log.erasures")
    assert results["events of others"] == "2 that named the person redacted"
    assert (await replay(store.database.dsn("owner"), store.vault)).differences == []
    assert not [one for one in await check.run(store.database.dsn()) if one.violations]


async def test_who_knows_the_code_of_a_forgotten_guests_coupon_has_no_right_to_it(
    store: Store,
) -> None:
    """A channel's word that was ignored before the erasure is ignored after it, in a replay too."""
    told = [sold(), MINI.body("coupon.claimed", 2, event_id="claim", **CODE, account="stranger")]
    told += [shows("owner", "verified"), GONE]
    for body in told:
        await store.take(body)
    assert (await store.row("select status from coupons"))["status"] == "issued"
    assert (await replay(store.database.dsn("owner"), store.vault)).differences == []


async def test_a_coupon_given_to_a_phone_forgets_it_too(store: Store) -> None:
    for order in permutations([ISSUED, given_on(), shows("owner", "verified"), GONE]):
        async with undone(store):
            for body in order:
                await store.take(body)
            coupon = await store.row("select recipient_phone, recipient_forgotten from coupons")
            assert coupon == {"recipient_phone": None, "recipient_forgotten": True}
            assert await personal_left(store) == set()


async def test_what_is_told_of_the_phone_after_the_erasure_stays(store: Store) -> None:
    """Its next holder finds what was meant for them."""
    for body in (shows("owner", "verified"), GONE, guests_order(12)):
        await store.take(body)
    assert await personal_left(store) == {"opened log"}
    assert await store.value("select count(*) from log.mentions") == 1


async def test_a_phone_that_was_merely_typed_forgets_nobody(store: Store) -> None:
    for body in (sold(), guests_order(), shows("owner", "declared"), GONE):
        await store.take(body)
    coupon = await store.row("select recipient_phone, recipient_forgotten from coupons")
    assert (coupon["recipient_phone"] is None, coupon["recipient_forgotten"]) == (False, False)
    assert await personal_left(store) == {"opened log"}


async def test_an_order_of_an_account_is_not_looked_for_by_its_recipient(store: Store) -> None:
    """It goes with the account that bought."""
    buyer = {"event_id": "bought", "buyer": {"account": "b"}, "recipient": RECIPIENT}
    await store.take(WEB.body("order.placed", 2, **ORDER | buyer))
    assert await store.value("select count(*) from log.mentions") == 0
    assert await store.value("select profile_id from orders") == ids.profile_id("web", "b")
