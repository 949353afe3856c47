"""A coupon of a guest, who typed a phone: whose it is follows from who proves that phone."""

from itertools import permutations

import pytest

from hub.errors import Refused
from hub.store import check, coupon_commands
from hub.store.coupon_commands import Counter
from hub.store.digest import digest
from tests.event_maker import Shop
from tests.integration.store.stage import Store
from tests.integration.store.test_erasure import undone

WEB, MINI = Shop("web"), Shop("mini")
CODE = {"code": "CAKE-1"}
TYPED = {"recipient_phone": "139 1234 5678", "recipient_email": "guest@example.com"}


def sold() -> bytes:
    money = {"paid_amount": "168.00", "currency": "CNY"}
    return WEB.body("coupon.issued", 1, event_id="sold", **CODE, kind="exchange", **money, **TYPED)


def shows(account: str, proof: str) -> bytes:
    phone = {"type": "phone", "value": "+86 13912345678", "proof": proof}
    data = {"account": account, "identifiers": [phone]}
    return MINI.body("member.identified", 5, event_id=account, **data)


async def refusals(store: Store, account: str) -> list[str]:
    """Why an account may neither take nor use the coupon; nothing if it may. Decides nothing."""
    found = []
    counter = Counter("mini", "1", account)
    commands = (
        lambda: coupon_commands.claim(store.connection, store.vault, counter, CODE["code"]),
        lambda: coupon_commands.decide(
            store.connection, store.vault, counter, "coupon.redeemed",
            CODE | {"redemption_id": "u"},
        ),
    )  # fmt: skip
    for command in commands:
        async with undone(store):
            try:
                await command()
            except Refused as refused:
                found.append(refused.code)
    return found


async def test_cake_coupon_bought_on_the_web_as_guest_is_usable_after_the_phone_is_bound(
    store: Store,
) -> None:
    """The same phone merely typed by someone else does not release it; the other order of events
    gives the same state."""
    typed, bound = shows("typist", "declared"), shows("owner", "verified")
    claimed = MINI.decision("coupon.claimed", 9, **CODE, account="owner", event_id="claimed")
    used = MINI.body(
        "coupon.redeemed", 12, **CODE, redemption_id="u", account="owner", event_id="used"
    )
    before, after = set(), set()
    for order in permutations((sold(), typed, bound)):
        async with undone(store):
            for body in order:
                await store.take(body)
            assert await refusals(store, "typist") == ["proof_missing", "proof_missing"]
            assert await refusals(store, "stranger") == ["proof_missing", "proof_missing"]
            assert await refusals(store, "owner") == []
            before.add(tuple(sorted((await digest(store.connection)).items())))
    for order in permutations((sold(), typed, bound, claimed, used)):
        async with undone(store):
            for body in order:
                await store.take(body)
            after.add(tuple(sorted((await digest(store.connection)).items())))
    assert (len(before), len(after)) == (1, 1)
    await store.take(sold(), typed, bound, claimed, used)
    row = await store.row("select status, account from coupons join profiles using (profile_id)")
    assert row == {"status": "redeemed", "account": "owner"}
    assert not [one for one in await check.run(store.database.dsn()) if one.violations]


@pytest.mark.parametrize("proof", ["verified", "declared"])
async def test_before_the_phone_is_proved_nobody_can_take_a_guests_coupon(
    store: Store, proof: str
) -> None:
    await store.take(sold())
    assert await refusals(store, "owner") == ["proof_missing", "proof_missing"]
    await store.take(shows("owner", proof))
    assert bool(await refusals(store, "owner")) == (proof == "declared")
