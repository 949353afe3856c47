"""Coupons in the store: rows, recipients, cases."""

import pytest

from hub.domain import ids
from hub.store import check, coupon_commands, replay
from hub.store.coupon_commands import Counter
from tests.event_maker import Shop, at
from tests.integration.store.stage import Store

WEB, MINI, TILL = Shop("web"), Shop("mini"), Shop("store", "xuhui")
PHONE = "139 1234 5678"
CODE = {"code": "CAKE-1"}


def issued(minute: float = 0, **more: object) -> bytes:
    data = CODE | {"kind": "exchange", "paid_amount": "168.00", "currency": "CNY"} | more
    return WEB.body("coupon.issued", minute, event_id="i", **data)


def redeemed(shop: Shop, minute: float, use: str) -> bytes:
    return shop.body("coupon.redeemed", minute, event_id=use, **CODE, redemption_id=use)


async def open_cases(store: Store) -> list[tuple[str, str]]:
    rows = await store.rows(
        "select kind, detail->>'redemption_id' as use from cases where state = 'open' order by 2"
    )
    return [(row["kind"], row["use"]) for row in rows]


async def broken(store: Store) -> list[str]:
    results = await check.run(store.database.dsn("writer"))
    return [result.name for result in results if result.violations]


async def test_a_store_redeems_offline_and_syncs_late_opens_a_case_if_already_used(
    store: Store,
) -> None:
    await store.take(issued(), redeemed(WEB, 6, "online"))
    await store.take(redeemed(TILL, 7, "offline"))
    assert await open_cases(store) == [("coupon_refused", "offline")]
    undone = TILL.body("coupon.redemption_reversed", 9, **CODE, redemption_id="offline")
    await store.take(undone)
    assert await open_cases(store) == []
    assert not await broken(store)


async def test_a_case_moves_to_the_redemption_that_turns_out_to_be_the_later_one(
    store: Store,
) -> None:
    await store.take(issued(), redeemed(WEB, 6, "online"), redeemed(MINI, 7, "mini"))
    await store.take(redeemed(TILL, 5, "offline"))
    assert await open_cases(store) == [("coupon_refused", "mini"), ("coupon_refused", "online")]
    assert not await broken(store)


async def test_money_given_back_for_a_voucher_that_was_used_is_a_case(store: Store) -> None:
    refunded = WEB.body("coupon.refunded", 9, **CODE)
    await store.take(issued(), redeemed(TILL, 5, "u"), refunded)
    assert await open_cases(store) == [("coupon_refunded_late", None)]
    await store.take(TILL.body("coupon.redemption_reversed", 11, **CODE, redemption_id="u"))
    assert await open_cases(store) == []
    assert await store.value("select status from coupons") == "refunded"


async def test_a_use_before_the_refund_that_is_told_late_makes_the_refund_differ(
    store: Store,
) -> None:
    money = {"amount": "112.00", "currency": "CNY"}
    refunded = WEB.body("coupon.refunded", 9, **CODE, **money)
    await store.take(issued(kind="times", uses=3), redeemed(TILL, 5, "u"), refunded)
    assert await open_cases(store) == []
    await store.take(redeemed(TILL, 6, "late"))
    assert await open_cases(store) == [("coupon_refund_differs", None)]
    assert await store.value("select refunded_minor from coupons") == 5600
    assert not await broken(store)


async def test_a_sold_voucher_is_owed_until_it_is_redeemed(store: Store) -> None:
    await store.take(issued())
    assert await store.value("select owed_minor from coupons") == 16800
    await store.take(redeemed(TILL, 5, "u"))
    row = await store.row(
        "select owed_minor, revenue_minor from coupons natural join "
        "(select coupon_id, revenue_minor from coupon_redemptions) as r"
    )
    assert row == {"owed_minor": 0, "revenue_minor": 16800}


async def test_a_recipients_phone_is_sealed_in_the_log_and_a_digest_in_the_table(
    store: Store,
) -> None:
    await store.take(issued(recipient_phone=PHONE))
    event = await store.row("select body, sealed_by from log.events")
    assert PHONE.encode() not in event["body"]
    assert event["sealed_by"] == ids.coupon_id("CAKE-1")
    digest = store.vault.value_hmac("phone", "+8613912345678")
    assert await store.value("select recipient_phone from coupons") == digest


async def test_a_use_and_a_reservation_keep_who_where_and_which_order(store: Store) -> None:
    whole = {"account": "m-1", "place": "xuhui", "order_number": "n-7"}
    expires_at = at(20).isoformat()
    held = MINI.body(
        "coupon.reserved", 3, **CODE, **whole, reservation_id="c-1", expires_at=expires_at
    )
    used = MINI.body(
        "coupon.redeemed", 5, **CODE, **whole, reservation_id="c-1", redemption_id="u-1"
    )
    await store.take(issued(), held, used)
    wanted = ("mini", "1", "xuhui", ids.profile_id("mini", "m-1"), "n-7")
    for table in ("coupon_redemptions", "coupon_reservations"):
        row = await store.row(f"select channel, shop, place, profile_id, order_number from {table}")
        assert tuple(row.values()) == wanted
    assert await store.value("select ending from coupon_reservations") == "redeemed"


async def test_what_the_hub_decided_is_replayed_as_it_was(store: Store) -> None:
    counter = Counter("web", "1", "a-1")
    phone = {"kind": "times", "uses": 3, "recipient_phone": PHONE}
    shown = [{"type": "phone", "value": PHONE, "proof": "verified"}]
    await store.take(WEB.body("member.identified", 0, account="a-1", identifiers=shown))
    async with store.connection.transaction():
        coupon_id = await coupon_commands.issue(store.connection, store.vault, counter, phone)
    code = await store.value("select code from coupons where coupon_id = $1", coupon_id)
    for event_type, more in (
        ("coupon.reserved", {"reservation_id": "c", "expires_at": "2030-01-01T00:00:00Z"}),
        ("coupon.redeemed", {"redemption_id": "u", "reservation_id": "c"}),
        ("coupon.redemption_reversed", {"redemption_id": "u"}),
    ):
        async with store.connection.transaction():
            data = {"code": code} | more
            await coupon_commands.decide(store.connection, store.vault, counter, event_type, data)
    async with store.connection.transaction():
        await coupon_commands.claim(store.connection, store.vault, counter, code)
    again = await replay.replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences
    assert not await broken(store)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ("update coupons set uses_redeemed = 0", "coupons_are_not_used_twice"),
        (
            "update coupons set owed_minor = 100",
            "what_coupons_were_sold_for_is_owed_or_earned",
        ),
        ("update cases set state = 'closed'", "refused_redemptions_have_a_case"),
    ],
)
async def test_a_coupon_changed_by_hand_fails_its_check(
    store: Store, change: str, name: str
) -> None:
    await store.take(issued(), redeemed(WEB, 6, "a"), redeemed(MINI, 7, "b"))
    assert not await broken(store)
    await store.connection.execute(change)
    assert await broken(store) == [name]
