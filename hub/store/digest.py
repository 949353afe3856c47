"""What must be equal whatever order, repetition, batch size and number of workers brought it about:
one digest a table over named columns.

Not here: what is true of one state by itself (`hub.store.check`), and the rows in which two states
differ (`hub.store.replay`).
"""

from dataclasses import dataclass

from hub.store.db import Connection
from hub.store.membership import STANDING_MERGES


@dataclass(frozen=True)
class Part:
    """What counts of one table. columns: expressions, times end in `_at` or `_from`;
    where: the rows that count; sums: of a ledger whose entries correct each other, what they come
    to by `columns`, where that is not nothing; rows: a query in place of the table."""

    columns: tuple[str, ...]
    where: str = "true"
    sums: tuple[str, ...] = ()
    rows: str = ""

    def source(self, schema: str, table: str) -> str:
        """What `sql` reads of a schema."""
        return self.rows.format(schema=schema) if self.rows else f"{schema}.{table}"

    def sql(self, source: str) -> str:
        """One row: the digest of this part. The sum needs no sorting and no memory."""
        # A time as text would depend on the time zone of the session.
        shown = ", ".join(
            f"extract(epoch from {name})" if name.endswith(("_at", "_from", "_until")) else name
            for name in self.columns
        )
        lines = f"select row({shown})::text as line from {source} where {self.where}"
        if self.sums:
            sums = ", ".join(f"sum({name})" for name in self.sums)
            keys, nothing = ", ".join(self.columns), ", ".join("0" for _ in self.sums)
            lines = (
                f"select row({shown}, {sums})::text as line from {source} where {self.where} "
                f"group by {keys} having ({sums}) is distinct from ({nothing})"
            )
        return (
            "select md5(concat_ws(':', count(*), sum(hashtextextended(line, 0)), "
            f"sum(hashtextextended(line, 1)))) from ({lines}) as lines"
        )


PARTS = {
    "orders": Part(
        (
            "order_id",
            "channel",
            "shop",
            "order_number",
            "profile_id",
            "place",
            "currency",
            "status",
            "payment_status",
            "fulfilment_status",
            "return_status",
            "gross_minor",
            "discount_minor",
            "total_minor",
            "paid_minor",
            "refunded_minor",
            "placed_at",
            "paid_at",
            "fulfilled_at",
            "completed_at",
            "cancelled_at",
            "event_count",
            "is_sale",
        )
    ),
    "order_details": Part(
        (
            "order_id",
            "parent_id",
            "origin_id",
            "tenders",
            "forfeited_minor",
            "compensated_minor",
            "refunding_minor",
            "paid_late_minor",
            "slot_from",
            "session_id",
            "cancelled_milli",
            "received_at",
            "no_show_at",
        ),
        # A refund on its way that ended leaves a row that says nothing.
        "num_nulls(parent_id, origin_id, tenders, deposit_kind, slot_from, session_id,"
        " cancelled_milli, no_show_at) < 8 or is_paid_on_delivery or forfeited_minor <> 0"
        " or compensated_minor <> 0 or refunding_minor <> 0 or paid_late_minor <> 0",
    ),
    "orders_over": Part(("order_id", "over_at")),
    "order_children": Part(("parent_id", "order_id")),
    "order_refunds": Part(
        ("order_id", "refund_id", "kind", "status", "amount_minor", "points", "ended_at")
    ),
    "aftersales": Part(
        (
            "order_id",
            "aftersale_id",
            "kind",
            "status",
            "quantities_milli",
            "amount_minor",
            "requested_at",
            "ended_at",
        )
    ),
    "order_settlements": Part(
        ("order_id", "payment_id", "amount_minor", "fee_minor", "commission_minor")
    ),
    "order_lines": Part(
        (
            "order_id",
            "line",
            "sku",
            "quantity_milli",
            "fulfilled_milli",
            "returned_milli",
            "unit_price_minor",
            "gross_minor",
            "discount_minor",
            "total_minor",
            "discounts",
            "stock_sku",
        )
    ),
    "order_line_stock": Part(("order_id", "line", "sku", "components", "placed_at")),
    "item_components": Part(("event_key", "sku", "components", "said_at")),
    "reservations": Part(("order_id", "place", "status", "quantities_milli", "expires_at")),
    "coupons": Part(
        (
            "coupon_id",
            "kind",
            "template",
            "channel",
            "shop",
            "profile_id",
            "recipient_phone",
            "recipient_email",
            "recipient_forgotten",
            "status",
            "reason",
            "uses_total",
            "uses_redeemed",
            "face_value_minor",
            "paid_minor",
            "owed_minor",
            "refunded_minor",
            "currency",
            "terms",
            "issued_at",
            "claimed_at",
            "transferred_at",
            "frozen_at",
            "ended_at",
            "order_number",
            "event_count",
        )
    ),
    "coupon_redemptions": Part(
        (
            "coupon_id",
            "channel",
            "shop",
            "redemption_id",
            "place",
            "profile_id",
            "order_number",
            "amount_minor",
            "currency",
            "revenue_minor",
            "redeemed_at",
            "reversed_at",
            "is_accepted",
            "refusal",
        )
    ),
    "coupon_reservations": Part(
        (
            "coupon_id",
            "channel",
            "shop",
            "reservation_id",
            "place",
            "profile_id",
            "order_number",
            "reserved_at",
            "expires_at",
            "ended_at",
            "ending",
        )
    ),
    "coupon_verifications": Part(
        (
            "coupon_id",
            "channel",
            "shop",
            "verification_id",
            "state",
            "verified_at",
            "call_id",
            "called_at",
            "is_answered",
        )
    ),
    # A position that something passed through on the way and left at nothing says nothing.
    "stock_positions": Part(
        (
            "sku",
            "place",
            "on_hand_milli",
            "committed_milli",
            "reserved_milli",
            "unavailable_milli",
            "incoming_milli",
            "allotted_milli",
            "counted_at",
        ),
        "counted_at is not null or (on_hand_milli, committed_milli, reserved_milli, "
        "unavailable_milli, incoming_milli) <> (0, 0, 0, 0, 0)",
    ),
    "stock_batches": Part(("sku", "place", "batch", "best_before_at", "left_milli")),
    "allotments": Part(
        (
            "allotment_key",
            "target_milli",
            "buffer_milli",
            "set_at",
            "confirmed_milli",
            "confirmed_at",
            "held_milli",
            "is_stale",
        )
    ),
    "live_sessions": Part(("session_key", "opened_at", "closed_at")),
    "stock_transfers": Part(
        (
            "transfer_key",
            "transfer_id",
            "sku",
            "to_place",
            "dispatched_milli",
            "arrived_milli",
            "lost_milli",
        )
    ),
    # Issued and reversed alone say how often late events corrected earlier ones.
    "points_accounts": Part(
        (
            "profile_id",
            "issued_points - reversed_points",
            "spent_points",
            "expired_points",
            "pending_points",
            "held_points",
            "open_points",
            "debt_points",
            "settled_at",
            "due_at",
            "last_used_at",
        ),
        "(issued_points - reversed_points, spent_points, held_points) <> (0, 0, 0)",
    ),
    "points_lots": Part(
        (
            "lot_id",
            "profile_id",
            "granted_points",
            "earned_points",
            "pending_points",
            "open_points",
            "expired_points",
            "earned_at",
            "opens_at",
            "expires_at",
            "grace_until",
            "order_id",
            "rule_version",
        ),
        "earned_points <> 0",
    ),
    "points_spends": Part(
        (
            "spend_id",
            "profile_id",
            "held_points",
            "spent_points",
            "returned_points",
            "is_disputed",
            "event_count",
        )
    ),
    "points_refunded": Part(("spend_id", "event_key", "points", "returned_at")),
    "points_holds": Part(
        ("spend_id", "hold_id", "status", "points", "captured_points", "expires_at", "ended_at")
    ),
    "growth_entries": Part(
        ("profile_id", "order_id", "currency", "occurred_at"),
        sums=("growth", "coalesce(amount_minor, 0)"),
    ),
    "member_tiers": Part(
        (
            "member_id",
            "scheme",
            "level",
            "since_at",
            "valid_until",
            "value",
            "scheme_version",
            "due_at",
            "has_gifts_due",
        )
    ),
    "tier_changes": Part(
        (
            "member_id",
            "scheme",
            "number",
            "changed_at",
            "level_before",
            "level",
            "cause",
            "event_key",
            "scheme_version",
        )
    ),
    "tier_gifts": Part(
        (
            "profile_id",
            "scheme",
            "level",
            "reached_at",
            "valid_until",
            "code",
            "issued_at",
            "recalled_at",
        )
    ),
    "tier_reviews": Part(("profile_id", "scheme", "reviewed_at")),
    "profiles": Part(
        (
            "profile_id",
            "channel",
            "account",
            "member_id",
            "registered_at",
            "attributes",
            "said_at::text",
            "platform_level",
            "platform_level_until",
            "platform_level_at",
            "erased_at",
        )
    ),
    "profile_identifiers": Part(
        (
            "profile_id",
            "identifier_type",
            "value_hmac",
            "proof",
            "valid_from",
            "last_shown_at",
            "scope",
            "standing",
            "extract(epoch from valid_to)",
        )
    ),
    "profile_consents": Part(
        ("profile_id", "purpose", "medium", "is_granted", "changed_at", "event_key")
    ),
    "member_rulings": Part(("pair_key", "left_profile", "right_profile", "is_one", "ruled_at")),
    "members": Part(("member_id", "merged_into")),
    "member_merges": Part(("member_id", "profiles"), rows=STANDING_MERGES),
    "cases": Part(("case_id", "kind", "object_kind", "object_key"), "state = 'open'"),
    "case_steps": Part(("event_key", "case_id", "type", "made_by", "made_at", "data")),
    "case_handling": Part(
        ("case_id", "assignee", "extract(epoch from due_at)", "priority", "settled")
    ),
    "approvals": Part(("approval_id", "status", "ended_by", "event_count")),
    "configs": Part(("event_key", "kind", "name", "document", "valid_from")),
    "items": Part(("sku", "name", "unit", "category", "brand", "attributes", "position_at")),
    "places": Part(("place", "name", "kind", "attributes", "position_at")),
    "parked": Part(("event_key", "entity_kind", "entity_key", "waits_for")),
}
"""By table of the schema `hub`."""

# Of two descriptions or counts the newer one counts; what became of the older one depends on which
# came first, so its outcome is no part of the digest.
OUTCOMES = Part(
    ("event_key", "outcome", "reason", "waits_for"),
    "event_key not in (select event_key from log.events where type = any($1::text[]))",
)
NEWEST_COUNTS = (
    "item.upserted",
    "place.upserted",
    "stock.counted",
    "capacity.set",
    "allotment.set",
    "allotment.confirmed",
)


async def digest(connection: Connection, schema: str = "hub") -> dict[str, str]:
    """The digest of each table in `schema`; of the live one also of the outcomes (`inbox`)."""
    digests = {
        table: str(await connection.fetchval(part.sql(part.source(schema, table))))
        for table, part in PARTS.items()
    }
    if schema == "hub":
        digests["inbox"] = str(
            await connection.fetchval(OUTCOMES.sql("log.inbox"), list(NEWEST_COUNTS))
        )
    return digests
