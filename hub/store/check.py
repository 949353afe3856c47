"""The invariants that the store can show, each a query that returns the rows which break it.

An invariant is labelled by its proof: `store` (this module looks at the rows), `live` (only a
running hub shows it, see `hub.local.watermarks`) or `test` (a test proves it, named here, and
`hub.store.proofs` knows when it last did). Queries are in `sql/check.sql`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hub.domain import ids
from hub.store import db
from hub.store.db import queries

SAMPLE_ROWS_MAX = 20
TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Invariant:
    """A promise about the data. asset: the stream table whose check it is in the asset graph."""

    name: str
    title: str
    proof: Literal["store", "live", "test"]
    asset: tuple[str, str]
    proved_by: str = ""

    @property
    def sql(self) -> str:
        """The query that returns the violations; empty unless the proof is `store`."""
        return queries("check")[self.name] if self.proof == "store" else ""


@dataclass(frozen=True)
class CheckResult:
    """How many rows break an invariant, and the first of them."""

    name: str
    proof: str
    violations: int
    sample: list[dict[str, Any]] = field(default_factory=list)


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "points_accounts_equal_their_entries",
        "I1: issued, spent, held, expired and reversed points are the sums of the entries",
        "store",
        ("hub", "points_accounts"),
    ),
    Invariant(
        "points_accounts_equal_their_lots",
        "I1: pending, open and expired points are those of the lots; issued + debt = all uses",
        "store",
        ("hub", "points_accounts"),
    ),
    Invariant(
        "points_spends_equal_their_entries",
        "I1: what is held and spent on an order is the sum of its entries",
        "store",
        ("hub", "points_entries"),
    ),
    Invariant(
        "overspent_points_have_a_case",
        "I1: a debt beyond what was taken back has an open case, and only such a one",
        "store",
        ("hub", "points_accounts"),
    ),
    Invariant(
        "points_of_an_order_follow_the_rule",
        "I1: by rule earn-1 an order's points are one for each whole unit paid and not refunded",
        "store",
        ("hub", "points_entries"),
    ),
    Invariant(
        "growth_follows_what_was_paid",
        "tiers: an order's buyers have what was paid and not refunded in their growth, or nothing",
        "store",
        ("hub", "growth_entries"),
    ),
    Invariant(
        "levels_are_what_their_history_ends_with",
        "tiers: a member's level is that of its last change, and no member that is gone has one",
        "store",
        ("hub", "growth_entries"),
    ),
    Invariant(
        "stock_positions_equal_their_movements",
        "I2: each quantity of a position is the sum of its movements",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "committed_stock_equals_open_orders",
        "I2: what is committed is what open orders and committed reservations have not been given",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "reserved_stock_equals_held_reservations",
        "I2: what is reserved is what reservations hold whose order is not placed",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "oversold_stock_has_a_case",
        "I2: a counted position below zero has an open case, and only such a one",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "batches_hold_no_more_than_is_there",
        "I2: what is left of all batches of a stock item is on hand, or nothing is left of them",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "allotted_stock_equals_its_allotments",
        "I2: what is kept of a stock item is the sum of its allotments",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "allotments_beyond_stock_have_a_case",
        "I2: available less allotments and buffers is below zero only with an open case",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "transfers_that_differ_have_a_case",
        "I2: what arrived and was lost is what set out, or there is a case",
        "store",
        ("hub", "stock_positions"),
    ),
    Invariant(
        "coupons_are_not_used_twice",
        "I3: a coupon has at most its uses in live redemptions",
        "store",
        ("hub", "coupons"),
    ),
    Invariant(
        "what_coupons_were_sold_for_is_owed_or_earned",
        "I3: what a sold coupon brought is owed, revenue or went back, unless it lapsed",
        "store",
        ("hub", "coupons"),
    ),
    Invariant(
        "money_owed_for_expired_coupons_has_a_case",
        "I3: a coupon that expired and whose money is still owed has a case",
        "store",
        ("hub", "coupons"),
    ),
    Invariant(
        "refused_redemptions_have_a_case",
        "I3: a redemption that does not count has an open case until it is undone",
        "store",
        ("hub", "coupons"),
    ),
    Invariant(
        "coupons_of_one_use_a_person_are_or_have_a_case",
        "I3: of coupons that a person may use one of, a member used one, or there is a case",
        "store",
        ("hub", "coupons"),
    ),
    Invariant(
        "refunds_stay_within_payments",
        "I3: refunded is at most paid, by order",
        "store",
        ("hub", "orders"),
    ),
    Invariant(
        "orders_equal_their_lines",
        "I3: an order's amounts are the sums of its lines; quantities stay within what was ordered",
        "store",
        ("hub", "orders"),
    ),
    Invariant(
        "each_event_has_one_outcome",
        "I4: each event in the log has one inbox row, and parked ones are known to wait",
        "store",
        ("log", "inbox"),
    ),
    Invariant(
        "each_applied_event_has_one_fact",
        "I6: each applied event has exactly one outbox row",
        "store",
        ("hub", "outbox"),
    ),
    Invariant(
        "a_run_of_a_rule_is_as_its_effects",
        "rules: a run waits or has failed if one of its effects does",
        "store",
        ("hub", "outbox"),
    ),
    Invariant(
        "a_verified_identifier_has_one_member",
        "members: profiles that a verified identifier joins belong to one member",
        "store",
        ("hub", "profiles"),
    ),
    Invariant(
        "a_member_is_named_by_its_smallest_profile",
        "members: a profile's member is not merged away and is the smallest of its profiles",
        "store",
        ("hub", "profiles"),
    ),
    Invariant(
        "people_ruled_apart_are_not_one_member",
        "members: two profiles that somebody ruled to be two persons belong to two members",
        "store",
        ("hub", "profiles"),
    ),
    Invariant(
        "the_audit_chain_verifies",
        "I8: no row of the audit was changed, put in between or taken away",
        "store",
        ("hub", "members"),
    ),
    Invariant(
        "any_order_gives_the_same_digest",
        "I5: any order, duplication, batch size and number of workers gives the same state",
        "test",
        ("hub", "orders"),
        "tests/consistency/test_any_order.py",
    ),
    Invariant(
        "kafka_never_passes_postgres",
        "I7: Kafka's committed offset never passes the one stored with the data",
        "live",
        ("log", "inbox"),
        "tests/consistency",
    ),
    Invariant(
        "keys_read_what_they_may",
        "I8: nobody reads what their key does not allow",
        "test",
        ("hub", "members"),
        "tests/integration/api/test_reading.py",
    ),
)


async def run(dsn: str, names: Sequence[str] | None = None) -> list[CheckResult]:
    """Verify the invariants that the store can show, all on one snapshot, and keep the results.

    dsn: of the writer, since results are kept in access.check_runs. names: only these.
    """
    connection = await db.connect(dsn, "hub", TIMEOUT_S)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            results = [
                await _verify(connection, invariant)
                for invariant in INVARIANTS
                if invariant.proof == "store" and (names is None or invariant.name in names)
            ]
        await _keep(connection, results)
        return results
    finally:
        await connection.close()


async def keep(dsn: str, results: Sequence[CheckResult]) -> None:
    """Keep results that were found elsewhere, such as on running traffic."""
    connection = await db.connect(dsn, "hub", TIMEOUT_S)
    try:
        await _keep(connection, results)
    finally:
        await connection.close()


async def last(dsn: str) -> dict[str, datetime]:
    """When each invariant was last found to hold, by name."""
    connection = await db.connect(dsn, "hub", TIMEOUT_S)
    try:
        rows = await connection.fetch(queries("check")["last"])
        return {row["invariant"]: row["ran_at"] for row in rows}
    finally:
        await connection.close()


async def _keep(connection: db.Connection, results: Sequence[CheckResult]) -> None:
    for one in results:
        kept = (one.name, one.proof, one.violations, one.sample)
        await connection.execute(queries("check")["keep"], *kept)


async def _verify(connection: db.Connection, invariant: Invariant) -> CheckResult:
    counted = (
        "select v.*, count(*) over () as violations_in_all "
        f"from ({invariant.sql.rstrip().rstrip(';')}) as v limit {SAMPLE_ROWS_MAX}"
    )
    rows = await connection.fetch(counted)
    sample = [
        {name: _shown(value) for name, value in row.items() if name != "violations_in_all"}
        for row in rows
    ]
    violations = rows[0]["violations_in_all"] if rows else 0
    return CheckResult(invariant.name, invariant.proof, violations, sample)


def _shown(value: Any) -> Any:
    if isinstance(value, bytes):
        return ids.text(value)
    return value if isinstance(value, int | None) else str(value)
