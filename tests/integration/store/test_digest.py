"""The digest: the same for the same state, another one for any other."""

import pytest

from hub.domain import payloads, schemas
from hub.store import db
from hub.store.digest import PARTS, digest
from tests.integration.store.stage import Store

UNLIKE = {
    "text": "{0} || 'x'",
    "bigint": "{0} + 1",
    "integer": "{0} + 1",
    "boolean": "not {0}",
    "timestamp with time zone": "{0} + interval '1 microsecond'",
    "uuid": "overlay({0}::text placing '7' from 1)::uuid",
    "jsonb": "'{{\"other\": 1}}'::jsonb",
    "character": "'XTS'",
}
"""Another value of each type, by an expression."""
CHANGES = [
    ("orders", "place"),
    ("orders", "status"),
    ("orders", "paid_minor"),
    ("orders", "fulfilled_at"),
    ("orders", "currency"),
    ("order_lines", "fulfilled_milli"),
    ("order_lines", "discounts"),
    ("coupons", "uses_redeemed"),
    ("coupon_redemptions", "is_accepted"),
    ("coupon_redemptions", "reversed_at"),
    ("stock_positions", "on_hand_milli"),
    ("stock_positions", "counted_at"),
    ("points_accounts", "open_points"),
    ("points_lots", "earned_at"),
    ("points_lots", "opens_at"),
    ("points_spends", "spent_points"),
    ("profiles", "member_id"),
    ("profile_identifiers", "valid_from"),
    ("members", "merged_into"),
    ("items", "name"),
    ("parked", "waits_for"),
]
ALSO = {("profiles", "member_id"): {"member_merges"}}
"""What a change of one table's column changes in another: which merges stand is told by members."""


@pytest.fixture
async def told(store: Store) -> Store:
    await store.take(*(schemas.example(name) for name in payloads.BY_TYPE))
    return store


@pytest.mark.parametrize(("table", "column"), CHANGES)
async def test_a_change_of_a_named_column_changes_the_digest_of_what_it_says_alone(
    told: Store, table: str, column: str
) -> None:
    owner = await db.connect(told.database.dsn("owner"))
    before = await digest(owner)
    kind = await owner.fetchval(
        "select data_type from information_schema.columns where table_schema = 'hub'"
        " and table_name = $1 and column_name = $2",
        table,
        column,
    )
    other = UNLIKE[str(kind)].format(column)
    if table == "points_accounts":
        await owner.execute(
            "alter table points_accounts drop constraint points_accounts_are_conserved"
        )
    status = await owner.execute(f"update {table} set {column} = {other}")
    assert status != "UPDATE 0"
    after = await digest(owner)
    assert {name for name in after if after[name] != before[name]} == {
        table,
        *ALSO.get((table, column), ()),
    }
    await owner.close()


async def test_when_and_by_which_write_a_row_came_is_no_part_of_the_digest(told: Store) -> None:
    before = await digest(told.connection)
    await told.connection.execute(
        "update orders set first_received_at = now() + interval '1 day',"
        " changed_xid = pg_current_xact_id();"
        "update stock_positions set version = version + 1;"
        "set timezone to 'Asia/Shanghai'"
    )
    assert await digest(told.connection) == before


async def test_the_digest_of_a_copy_in_another_schema_is_the_same(told: Store) -> None:
    owner = await db.connect(told.database.dsn("owner"))
    await owner.execute("create schema other")
    for table in PARTS:
        await owner.execute(f"create table other.{table} as select * from hub.{table}")
    live = await digest(owner)
    del live["inbox"]
    assert await digest(owner, "other") == live
    await owner.close()
