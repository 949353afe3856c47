"""What platforms ask and wait for: a member's points and level, a coupon's state.

How a platform asks and wants to hear it is its pack's; who a channel may see is the viewer's.
"""

from typing import Any

from hub.channels import codec
from hub.channels.codec import Message
from hub.channels.pack import Question
from hub.channels.requests import Reply
from hub.domain import identifiers, ids
from hub.domain.coupon_codes import normalise_code
from hub.store.reads import coupons, members, points, tiers
from hub.store.reads.viewer import Viewer
from hub_api.channels import Known
from hub_api.resources import Resources

HUNDREDFOLD = 100


async def answer(held: Resources, known: Known, question: Question, message: Message) -> Reply:
    """What the platform wants to hear. Raises `PushRefused` if it cannot be understood."""
    asked = codec.asked(question, message)
    viewer = Viewer(known.given.channel, question.all_channels)
    assert known.pack is not None
    masters = known.pack.masters

    async def read(reader: Any) -> dict[str, Any] | None:
        if question.read == "coupon":
            return await _coupon(reader, viewer, asked)
        told = await _member(reader, held, viewer, asked)
        if told is not None and masters.tier == "platform":
            told["level"] = told["reported_level"]
        return told

    return codec.answered(question, message, await held.database.read(read))


async def _coupon(reader: Any, viewer: Viewer, asked: dict[str, str]) -> dict[str, Any] | None:
    coupon_id = ids.coupon_id(normalise_code(asked.get("code", "")))
    row = await coupons.get(reader, viewer, coupon_id)
    if row is None:
        return None
    return {
        "code": row["code"],
        "state": row["status"],
        "uses_left": row["uses_total"] - row["uses_redeemed"],
        "valid_from": row["valid_from"],
        "valid_until": row["valid_until"],
    }


async def _member(
    reader: Any, held: Resources, viewer: Viewer, asked: dict[str, str]
) -> dict[str, Any] | None:
    """Of whom has the identifier, proved; several such members are nobody."""
    kind = asked.get("type", "")
    value = identifiers.normalise(kind, asked.get("value", ""), asked.get("app"))
    if value is None:
        return None
    digest = held.vault.value_hmac(kind, value)
    holders = [
        row for row in await members.holders(reader, viewer, kind, digest) if row["is_verified"]
    ]
    if len(holders) != 1:
        return None
    member_id = holders[0]["member_id"]
    profiles = await members.profiles(reader, viewer, member_id)
    accounts = await points.accounts(reader, [row["profile_id"] for row in profiles])
    balance = sum(row["open_points"] - row["debt_points"] for row in accounts)
    levels = await tiers.of_member(reader, viewer, member_id)
    reported = await tiers.reported(reader, Viewer(viewer.channel), member_id)
    return {
        "member_id": ids.text(member_id),
        "points": balance,
        "points_hundredfold": balance * HUNDREDFOLD,
        "level": levels[0]["level"] if levels else None,
        "reported_level": reported[0]["level"] if reported else None,
        "levels": {row["scheme"]: row["level"] for row in levels},
        "platform_levels": levels[0]["platform_levels"] if levels else {},
    }
