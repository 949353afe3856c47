"""Coupons that the hub ends after their last day."""

from datetime import UTC, datetime

import pytest

from hub.store import check, coupon_expiry, replay
from tests.event_maker import Shop, at
from tests.integration.store.stage import Store

WEB = Shop("web")
CODE = {"code": "CAKE-1"}
TURNS = 60
"""Of the task: the odds that one coupon of five is in none of so many pairs are one in 10^13."""
MIDNIGHT = datetime(2026, 3, 1, 16, tzinfo=UTC)
"""The end of the day in Shanghai."""


def issued(terms: dict[str, object] | None = None, **more: object) -> bytes:
    data = {"kind": "exchange", "paid_amount": "168.00", "currency": "CNY", "terms": terms or {}}
    data |= CODE | {"valid_until": MIDNIGHT.isoformat()} | more
    return WEB.body("coupon.issued", 0, **data)


async def expire(store: Store) -> int:
    async with store.connection.transaction():
        return await coupon_expiry.expire_overdue(store.connection, store.vault)


async def coupon(store: Store) -> tuple[object, ...]:
    row = await store.row("select status, ended_at, owed_minor from coupons")
    return tuple(row.values())


@pytest.mark.parametrize(("on_expiry", "owed"), [("lapse", 0), ("refund", 168_00)])
async def test_expiry_job_runs_twice_or_late_with_the_same_result(
    store: Store, on_expiry: str, owed: int
) -> None:
    await store.take(issued({"on_expiry": on_expiry}))
    assert [await expire(store), await expire(store)] == [1, 0]
    assert await coupon(store) == ("expired", MIDNIGHT, owed)
    again = await replay.replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences
    results = await check.run(store.database.dsn("writer"))
    assert not [result.name for result in results if result.violations]


async def test_money_owed_for_an_expired_coupon_is_a_case_until_it_is_refunded(
    store: Store,
) -> None:
    await store.take(issued({"on_expiry": "refund"}))
    await expire(store)
    owed = await store.row("select kind, state, detail from cases")
    assert (owed["kind"], owed["state"]) == ("coupon_refund_owed", "open")
    assert owed["detail"] == {"owed_minor": 168_00, "currency": "CNY"}
    back = {"amount": "168.00", "currency": "CNY"}
    await store.take(WEB.body("coupon.refunded", 900, **CODE, **back))
    assert await store.rows("select state from cases") == [{"state": "closed"}]
    assert await store.value("select refunded_minor from coupons") == 168_00
    results = await check.run(store.database.dsn("writer"))
    assert not [result.name for result in results if result.violations]


async def test_coupons_that_cannot_end_keep_no_other_from_ending(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: here more than are looked at in one go."""
    monkeypatch.setattr(coupon_expiry, "OVERDUE_MAX", 2)
    for number in range(4):
        code = {"code": f"STUCK-{number}"}
        used = code | {"redemption_id": "u"}
        # A use that was undone by a clock far ahead: it is due only then.
        await store.take(issued(None, **code), WEB.body("coupon.redeemed", 5, **used))
        await store.take(WEB.decision("coupon.redemption_reversed", 10**7, **used))
    await store.take(issued())
    ended = 0
    for _ in range(TURNS):
        ended += await expire(store)
        assert ended in (0, 1)
    statuses = await store.rows("select status from coupons where code = 'CAKE-1'")
    assert statuses == [{"status": "expired"}]


async def test_a_coupon_whose_validity_is_extended_expires_at_the_end_of_the_extension(
    store: Store,
) -> None:
    await store.take(issued({"on_expiry": "extend", "extension_days": 36_00}))
    assert await expire(store) == 0
    await store.take(
        WEB.body("coupon.issued", 1, **(CODE | {"code": "CAKE-2"}), kind="discount",
                 valid_until=MIDNIGHT.isoformat(),
                 terms={"on_expiry": "extend", "extension_days": 1})
    )  # fmt: skip
    assert await expire(store) == 1
    ended = await store.value("select ended_at from coupons where code = 'CAKE-2'")
    assert ended == datetime(2026, 3, 2, 16, tzinfo=UTC)


async def test_a_use_reserved_over_midnight_keeps_the_coupon_until_its_reservation_ends(
    store: Store,
) -> None:
    held = {"reservation_id": "c", "expires_at": "2026-03-01T16:10:00Z"}
    await store.take(issued(), WEB.body("coupon.reserved", 475, **CODE, **held))
    assert await expire(store) == 1
    ended = datetime(2026, 3, 1, 16, 10, tzinfo=UTC)
    assert await coupon(store) == ("expired", ended, 0)


async def test_a_use_undone_after_midnight_leaves_a_coupon_that_expires_then(store: Store) -> None:
    used = WEB.body("coupon.redeemed", 10, **CODE, redemption_id="1")
    undone = WEB.body("coupon.redemption_reversed", 600, **CODE, redemption_id="1")
    await store.take(issued(), used, undone)
    assert await expire(store) == 1
    assert await coupon(store) == ("expired", at(600), 0)


@pytest.mark.parametrize("kind", ["platform", "exchange"])
async def test_a_platforms_coupon_and_a_frozen_one_are_not_ended_by_the_hub(
    store: Store, kind: str
) -> None:
    await store.take(issued(kind=kind))
    if kind == "exchange":
        await store.take(WEB.body("coupon.frozen", 5, **CODE))
    assert await expire(store) == 0


async def test_an_offline_use_that_syncs_after_expiry_counts_by_its_own_time(store: Store) -> None:
    await store.take(issued())
    assert await expire(store) == 1
    await store.take(Shop("store").body("coupon.redeemed", 10, **CODE, redemption_id="1"))
    assert await store.value("select status from coupons") == "redeemed"
    assert await store.value("select revenue_minor from coupon_redemptions") == 168_00
