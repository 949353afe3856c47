"""The rows of a coupon: itself, its redemptions and reservations. Writes those that changed."""

from datetime import datetime

import msgspec

from hub.domain import coupon_worth, ids
from hub.domain.coupon_data import FORGOTTEN
from hub.domain.coupon_state import CouponState, Redemption, Reservation
from hub.domain.coupon_verification import Verified
from hub.domain.coupons import Folded
from hub.domain.ids import Key
from hub.store.db import Connection, Rows, queries
from hub.store.sealing import Vault

_COUPONS = Rows(
    "coupons",
    key=("coupon_id",),
    columns={
        "coupon_id": "uuid",
        "code": "text",
        "kind": "text",
        "template": "text",
        "channel": "text",
        "shop": "text",
        "profile_id": "uuid",
        "recipient_phone": "uuid",
        "recipient_email": "uuid",
        "recipient_forgotten": "boolean",
        "status": "text",
        "reason": "text",
        "uses_total": "int",
        "uses_redeemed": "int",
        "face_value_minor": "bigint",
        "paid_minor": "bigint",
        "owed_minor": "bigint",
        "refunded_minor": "bigint",
        "currency": "text",
        "terms": "jsonb",
        "issued_at": "timestamptz",
        "claimed_at": "timestamptz",
        "transferred_at": "timestamptz",
        "frozen_at": "timestamptz",
        "ended_at": "timestamptz",
        "valid_from": "timestamptz",
        "valid_until": "timestamptz",
        "usable_until": "timestamptz",
        "order_number": "text",
        "event_count": "int",
        "first_received_at": "timestamptz",
    },
)
_REDEMPTIONS = Rows(
    "coupon_redemptions",
    key=("coupon_id", "channel", "shop", "redemption_id"),
    columns={
        "coupon_id": "uuid",
        "channel": "text",
        "shop": "text",
        "redemption_id": "text",
        "place": "text",
        "profile_id": "uuid",
        "order_number": "text",
        "amount_minor": "bigint",
        "currency": "text",
        "revenue_minor": "bigint",
        "redeemed_at": "timestamptz",
        "reversed_at": "timestamptz",
        "is_accepted": "boolean",
        "refusal": "text",
        "event_key": "uuid",
    },
)
_RESERVATIONS = Rows(
    "coupon_reservations",
    key=("coupon_id", "channel", "shop", "reservation_id"),
    columns={
        "coupon_id": "uuid",
        "channel": "text",
        "shop": "text",
        "reservation_id": "text",
        "place": "text",
        "profile_id": "uuid",
        "order_number": "text",
        "reserved_at": "timestamptz",
        "expires_at": "timestamptz",
        "ended_at": "timestamptz",
        "ending": "text",
        "event_key": "uuid",
    },
)

_VERIFICATIONS = Rows(
    "coupon_verifications",
    key=("coupon_id", "channel", "shop", "verification_id"),
    columns={
        "coupon_id": "uuid",
        "channel": "text",
        "shop": "text",
        "verification_id": "text",
        "state": "text",
        "verified_at": "timestamptz",
        "call_id": "text",
        "called_at": "timestamptz",
        "is_answered": "boolean",
    },
)


async def write(
    connection: Connection,
    vault: Vault,
    was: dict[Key, Folded],
    now: dict[Key, Folded],
    since: dict[Key, datetime],
) -> None:
    """Write the coupons and what changed of their uses; since: when each was first heard of."""
    coupon_rows, redemption_rows, reservation_rows, verification_rows = [], [], [], []
    gone = []
    for key, folded in now.items():
        state, before = folded.state, was[key].state
        if state.issue is None:
            continue
        coupon_rows.append((key, *_coupon(vault, state), len(folded.verdicts), since[key]))
        earned, earned_before = coupon_worth.earnings(state), coupon_worth.earnings(before)
        redemption_rows += [
            (key, *_redemption(one, earned.get(name, 0)))
            for name, one in state.redemptions.items()
            if before.redemptions.get(name) != one or earned.get(name) != earned_before.get(name)
        ]
        reservation_rows += [
            (key, *_reservation(one))
            for name, one in state.reservations.items()
            if before.reservations.get(name) != one
        ]
        # What a platform was thought to have verified, until an earlier answer turned up.
        gone += [(key, *name) for name in before.redemptions.keys() - state.redemptions.keys()]
        verification_rows += [
            (key, *name, *_verification(told))
            for name, told in state.verifications.items()
            if before.verifications.get(name) != told
        ]
    await _COUPONS.upsert(connection, coupon_rows)
    await _REDEMPTIONS.upsert(connection, redemption_rows)
    await _RESERVATIONS.upsert(connection, reservation_rows)
    if gone:
        await connection.executemany(queries("coupons")["forget_redemption"], gone)
    if verification_rows:
        await _VERIFICATIONS.upsert(connection, verification_rows)


def _verification(told: Verified) -> tuple[object, ...]:
    now = told.verification
    return now.state, now.verified_at, told.call_id, told.called_at, told.is_answered


def _coupon(vault: Vault, state: CouponState) -> tuple[object, ...]:
    issue = state.issue
    assert issue is not None
    digests = {
        one.type: vault.value_hmac(one.type, one.value)
        for one in state.recipients
        if one != FORGOTTEN
    }
    return (
        issue.code,
        issue.kind,
        issue.template,
        state.channel,
        state.shop,
        ids.profile_id(*state.account) if state.account is not None else None,
        digests.get("phone"),
        digests.get("email"),
        FORGOTTEN in state.recipients,
        state.status,
        state.reason,
        issue.uses,
        state.live_uses,
        issue.face_value_minor,
        issue.paid_minor,
        coupon_worth.owed_minor(state),
        coupon_worth.refunded_minor(state),
        issue.currency,
        msgspec.to_builtins(issue.terms),
        state.issued_at,
        state.claimed_at,
        state.transferred_at,
        state.frozen_at,
        state.ended_at,
        issue.valid_from,
        issue.valid_until,
        issue.usable_until,
        issue.order_number,
    )


def _redemption(one: Redemption, revenue_minor: int) -> tuple[object, ...]:
    use = one.use
    return (
        one.channel,
        one.shop,
        use.redemption_id,
        use.place,
        _profile(one.channel, use.account),
        use.order_number,
        use.amount_minor,
        use.currency,
        revenue_minor,
        one.redeemed_at,
        one.reversed_at,
        one.refusal is None,
        one.refusal,
        one.event_key,
    )


def _reservation(one: Reservation) -> tuple[object, ...]:
    hold = one.hold
    return (
        one.channel,
        one.shop,
        hold.reservation_id,
        hold.place,
        _profile(one.channel, hold.account),
        hold.order_number,
        one.reserved_at,
        hold.expires_at,
        one.ended_at,
        one.ending,
        one.event_key,
    )


def _profile(channel: str, account: str | None) -> Key | None:
    return ids.profile_id(channel, account) if account is not None else None
