"""Coupons in Postgres: fold the coupons that new events touch, and write what changed."""

from datetime import datetime

from hub.domain import coupons, ids
from hub.domain.coupons import CouponState, Folded, Redemption
from hub.domain.ids import Key
from hub.store import log
from hub.store.db import Connection, Rows, queries
from hub.store.folding import refold
from hub.store.records import Work
from hub.store.sealing import Vault

_COUPONS = Rows(
    "coupons",
    key=("coupon_id",),
    columns={
        "coupon_id": "uuid",
        "code": "text",
        "kind": "text",
        "template": "text",
        "profile_id": "uuid",
        "status": "text",
        "uses_total": "int",
        "uses_redeemed": "int",
        "face_value_minor": "bigint",
        "currency": "text",
        "issued_at": "timestamptz",
        "claimed_at": "timestamptz",
        "valid_from": "timestamptz",
        "valid_until": "timestamptz",
        "order_number": "text",
        "event_count": "int",
        "first_received_at": "timestamptz",
    },
)
_REDEMPTIONS = Rows(
    "coupon_redemptions",
    key=("coupon_id", "redemption_id"),
    columns={
        "coupon_id": "uuid",
        "redemption_id": "text",
        "channel": "text",
        "shop": "text",
        "place": "text",
        "profile_id": "uuid",
        "order_number": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "redeemed_at": "timestamptz",
        "reversed_at": "timestamptz",
        "is_accepted": "boolean",
        "refusal": "text",
        "event_key": "uuid",
    },
)


async def apply(connection: Connection, vault: Vault, work: Work) -> None:
    """Fold the new coupon events and write coupons and redemptions."""
    new = work.of("coupon")
    if not new:
        return
    wanted = sorted({event.entity_key for event in new})
    rows = await connection.fetch(queries("coupons")["lock"], wanted)
    since: dict[Key, datetime] = {row["coupon_id"]: row["first_received_at"] for row in rows}
    unseen = [key for key in wanted if key not in since]
    if unseen:
        since |= await log.parked_since(connection, unseen)
    past = await log.history(connection, vault, "coupon", since, work.first_log_id)
    was, now = refold(work, new, past, coupons.fold)
    # A write that waited for another began before it: the earlier of both is when the first came.
    received_at = work.received_at
    first_at = {key: min(since.get(key, received_at), received_at) for key in wanted}
    await _write(connection, was, now, first_at)


async def _write(
    connection: Connection,
    was: dict[Key, Folded],
    now: dict[Key, Folded],
    since: dict[Key, datetime],
) -> None:
    coupon_rows, redemption_rows = [], []
    for key, folded in now.items():
        if folded.state.issue is None:
            continue
        coupon_rows.append(_coupon_row(key, folded, since[key]))
        known = was[key].state.redemptions
        redemption_rows += [
            _redemption_row(key, redemption)
            for redemption_id, redemption in folded.state.redemptions.items()
            if known.get(redemption_id) != redemption
        ]
    await _COUPONS.upsert(connection, coupon_rows)
    await _REDEMPTIONS.upsert(connection, redemption_rows)


def _coupon_row(key: Key, folded: Folded, since: datetime) -> tuple[object, ...]:
    state: CouponState = folded.state
    issue = state.issue
    assert issue is not None
    return (
        key,
        issue.code,
        issue.kind,
        issue.template,
        ids.profile_id(*state.account) if state.account is not None else None,
        state.status,
        issue.uses,
        state.live_uses,
        issue.face_value_minor,
        issue.currency,
        state.issued_at,
        state.claimed_at,
        issue.valid_from,
        issue.valid_until,
        issue.order_number,
        len(folded.verdicts),
        since,
    )


def _redemption_row(key: Key, redemption: Redemption) -> tuple[object, ...]:
    use = redemption.use
    return (
        key,
        use.redemption_id,
        redemption.channel,
        redemption.shop,
        use.place,
        ids.profile_id(redemption.channel, use.account) if use.account is not None else None,
        use.order_number,
        use.amount_minor,
        use.currency,
        redemption.redeemed_at,
        redemption.reversed_at,
        redemption.refusal is None,
        redemption.refusal,
        redemption.event_key,
    )
