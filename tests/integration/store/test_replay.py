"""The log is complete: replayed, it gives the live state, and mends a state that was changed."""

import asyncpg
import pytest

from hub.store import apply, check, db, replay
from hub.store.records import Record
from hub.store.sealing import Vault
from hub.testing import Database
from tests.integration.store.bakery_day import bakery_day

VAULT = Vault(b"a test's secret, 32 bytes or more")


async def _take(database: Database, records: list[Record], batch: int) -> None:
    connection = await db.connect(database.dsn())
    try:
        for start in range(0, len(records), batch):
            async with connection.transaction():
                await apply.apply(connection, VAULT, records[start : start + batch], "cluster")
    finally:
        await connection.close()


async def _change_by_hand(database: Database, sql: str) -> None:
    connection = await asyncpg.connect(database.dsn("owner"))
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def test_a_replay_in_log_order_gives_the_live_state_row_by_row(database: Database) -> None:
    records = bakery_day()
    await _take(database, records, batch=7)
    seen: list[int] = []
    result = await replay.replay(database.dsn("owner"), VAULT, progress=seen.append)
    assert result.is_equal, result.differences
    assert result.events == len(records) == seen[-1]
    assert not result.swapped


async def test_a_row_changed_by_hand_is_named_by_the_replay_and_mended_by_its_swap(
    database: Database,
) -> None:
    await _take(database, bakery_day(), batch=50)
    await _change_by_hand(database, "update hub.orders set paid_minor = paid_minor + 1")
    await _change_by_hand(database, "delete from hub.stock_movements where kind = 'issued'")
    await _change_by_hand(database, "update log.inbox set outcome = 'ignored'")
    result = await replay.replay(database.dsn("owner"), VAULT, swap=True)
    assert {d.table for d in result.differences} == {"orders", "stock_movements"}
    assert result.outcomes_changed > 0
    assert result.swapped
    owner = await asyncpg.connect(database.dsn("owner"))
    assert await owner.fetchval("select count(*) from access.replays where swapped") == 1
    await owner.close()
    again = await replay.replay(database.dsn("owner"), VAULT)
    assert again.is_equal, again.differences
    assert sum(r.violations for r in await check.run(database.dsn())) == 0


BROKEN_BY_HAND = {
    "points_accounts_equal_their_entries": "update hub.points_entries set points = points + 1",
    "points_accounts_equal_their_lots": "update hub.points_lots set open_points = 0",
    "points_spends_equal_their_entries": "update hub.points_spends set held_points = 1",
    "overspent_points_have_a_case": "update hub.cases set state = 'closed'",
    "points_of_an_order_follow_the_rule": "update hub.orders set paid_minor = paid_minor + 1000",
    "growth_follows_what_was_paid": "update hub.growth_entries set amount_minor = 1",
    "levels_are_what_their_history_ends_with": (
        "insert into hub.member_tiers (member_id, scheme, level, scheme_version, has_gifts_due)"
        " select member_id, 'club', 'gold', 1, false from hub.members limit 1"
    ),
    "stock_positions_equal_their_movements": "update hub.stock_positions set on_hand_milli = 1",
    "committed_stock_equals_open_orders": "update hub.stock_positions set committed_milli = 1",
    "reserved_stock_equals_held_reservations": "update hub.stock_positions set reserved_milli = 1",
    "oversold_stock_has_a_case": "delete from hub.cases",
    "batches_hold_no_more_than_is_there": (
        "insert into hub.stock_batches (sku, place, batch, left_milli) values ('x', 's1', 'b', 1)"
    ),
    "allotted_stock_equals_its_allotments": "update hub.stock_positions set allotted_milli = 1",
    "allotments_beyond_stock_have_a_case": (
        "update hub.stock_positions set allotted_milli = 1000000000"
    ),
    "transfers_that_differ_have_a_case": (
        "insert into hub.stock_transfers values "
        "(gen_random_uuid(), 'T1', 'cake', 's1', 10000, 9000, 0)"
    ),
    "coupons_are_not_used_twice": "update hub.coupons set uses_redeemed = uses_total + 1",
    "what_coupons_were_sold_for_is_owed_or_earned": "update hub.coupons set paid_minor = 1",
    "refused_redemptions_have_a_case": "delete from hub.cases where kind = 'coupon_refused'",
    "money_owed_for_expired_coupons_has_a_case": (
        "insert into hub.cases (case_id, kind, object_kind, object_key, state, detail, opened_at)"
        " values (gen_random_uuid(), 'coupon_refund_owed', 'coupon', 'c', 'open', '{}', now())"
    ),
    "coupons_of_one_use_a_person_are_or_have_a_case": (
        "delete from hub.cases where kind = 'coupon_once_per_person'"
    ),
    "refunds_stay_within_payments": "update hub.orders set refunded_minor = paid_minor + 1",
    "orders_equal_their_lines": "update hub.order_lines set fulfilled_milli = quantity_milli + 1",
    "each_event_has_one_outcome": "delete from hub.parked",
    "each_applied_event_has_one_fact": "delete from hub.outbox where type = 'order.paid'",
    "a_run_of_a_rule_is_as_its_effects": (
        "with run as (insert into hub.rule_runs"
        " (rule, version, fact_key, event_key, xid, outbox_id, type, entity_kind, entity_key,"
        " state, effects, hops)"
        " select 'r', 1, event_key, event_key, xid, outbox_id, type, entity_kind, entity_key,"
        " 'done', 1, 0 from hub.outbox limit 1 returning *)"
        " insert into hub.rule_effects (effect_id, rule, version, fact_key, xid, outbox_id, action,"
        " kind, order_key) select event_key, rule, version, fact_key, xid, outbox_id, 'a',"
        " 'deliver', 'k' from run"
    ),
    "a_verified_identifier_has_one_member": "update hub.profiles set member_id = profile_id",
    "people_ruled_apart_are_not_one_member": (
        "insert into hub.member_rulings (pair_key, left_profile, right_profile, is_one, ruled_at,"
        " event_key) select l.profile_id, l.profile_id, r.profile_id, false, now(), l.profile_id"
        " from hub.profiles as l join hub.profiles as r using (member_id)"
        " where l.profile_id < r.profile_id limit 1"
    ),
    "the_audit_chain_verifies": (
        "select hub.audit_append('cli:root', 'key.revoked', 'keys/k', null, null, '{}');"
        " update hub.audit set actor = 'cli:somebody'"
    ),
    "a_member_is_named_by_its_smallest_profile": "update hub.members set merged_into = member_id",
}


async def test_every_invariant_of_the_store_has_a_way_to_break_it(database: Database) -> None:
    stored = {invariant.name for invariant in check.INVARIANTS if invariant.proof == "store"}
    assert stored == BROKEN_BY_HAND.keys()


@pytest.mark.parametrize("name", sorted(BROKEN_BY_HAND))
async def test_a_row_changed_by_hand_breaks_its_invariant(database: Database, name: str) -> None:
    await _take(database, bakery_day(), batch=50)
    (before,) = await check.run(database.dsn(), [name])
    assert before.violations == 0, before.sample
    await _change_by_hand(database, BROKEN_BY_HAND[name])
    (after,) = await check.run(database.dsn(), [name])
    assert after.violations > 0
    assert after.sample
