"""Commands on coupons: issue, claim, give away, use, undo, freeze, refund and void; and reading
for a quote.

Each runs in the caller's transaction and raises `Refused` where it is not possible. What is
possible is decided in `hub.domain.coupon_rights`, and once more by the fold.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from hub.domain import coupon_codes, coupon_rights, coupon_worth, ids, money
from hub.domain.coupon_codes import normalise_code
from hub.domain.coupon_data import Terms
from hub.domain.coupon_quotes import Offer
from hub.domain.coupon_rights import Refusal, Rights
from hub.domain.decisions import Decision
from hub.domain.ids import Key
from hub.errors import HubError, Refused
from hub.store import commands, log
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

_USES = frozenset({"coupon.reserved", "coupon.redeemed"})
_OF_THE_ISSUER = frozenset({"coupon.frozen", "coupon.refunded", "coupon.voided"})


class CouponUnknown(HubError):
    """There is no coupon of this code."""


class Counter(Struct, frozen=True):
    """Where a command is made: a shop of a channel; for whom, if an account is named."""

    channel: str
    shop: str
    account: str | None = None

    @property
    def profile_id(self) -> Key | None:
        if self.account is None:
            return None
        return ids.profile_id(self.channel, self.account)


class Standing(Struct, frozen=True):
    """A coupon now: who issued it, what it offers, whether it can be used, and the counter's rights
    to it. refund_minor: what its buyer gets back now; holder_id: the profile that holds it."""

    channel: str
    shop: str
    offer: Offer
    rights: Rights
    unusable: str | None
    uses_free: int
    refund_minor: int
    coupon_id: Key
    holder_id: Key | None

    def obstacles(self, *, names_account: bool) -> list[str]:
        """Codes of what stands in the way of using it at all."""
        found = [self.unusable] if self.unusable is not None else []
        if self.unusable is None and self.uses_free <= 0:
            found.append("coupon_reserved")
        refusal = coupon_rights.refuse_use(self.rights, names_account=names_account)
        if refusal is not None:
            found.append(refusal[0])
        if self.offer.kind == "platform":
            found.append("platform_decides")
        return found


async def issue(connection: Connection, vault: Vault, counter: Counter, data: Any) -> Key:
    """Issue a coupon with a code of the hub's own; its id."""
    code = coupon_codes.make_code(secrets.randbits(coupon_codes.RANDOM_BITS))
    await _run(connection, vault, counter, "coupon.issued", data | {"code": code})
    return ids.coupon_id(code)


async def claim(connection: Connection, vault: Vault, counter: Counter, code: str) -> Key:
    """The counter's account takes the coupon into its wallet, if it may."""
    coupon_id = await _hold(connection, code)
    rights = (await standing(connection, counter, code)).rights
    _raise(coupon_rights.refuse_claim(rights))
    data = {"code": code, "account": counter.account}
    if rights.proof is not None:
        data["proof"] = rights.proof
    await _run(connection, vault, counter, "coupon.claimed", data)
    return coupon_id


async def decide(
    connection: Connection, vault: Vault, counter: Counter, event_type: str, data: dict[str, Any]
) -> Key:
    """Give away, reserve, redeem, reverse, release, freeze, refund or void, as the payload `data`
    says; its id.

    A redemption that stands is not made again: the second call of two is answered like the first.
    """
    code: str = data["code"]
    coupon_id = await _hold(connection, code)
    found = await standing(connection, counter, code)
    if event_type == "coupon.redeemed" and await _is_redeemed(
        connection, coupon_id, counter, data["redemption_id"]
    ):
        return coupon_id
    lets_go = event_type == "coupon.released" and "reservation_id" not in data
    if (lets_go or event_type in _OF_THE_ISSUER) and counter.channel != found.channel:
        raise Refused("issuer_alone", "only the channel that issued the coupon may do this")
    if event_type == "coupon.refunded" and found.refund_minor:
        data = data | _amount(found.refund_minor, found.offer.currency)
    if event_type == "coupon.transferred":
        _raise(coupon_rights.refuse_transfer(found.rights))
    if event_type in _USES:
        named = counter.account is not None
        _raise(coupon_rights.refuse_use(found.rights, names_account=named))
        if counter.account is not None:
            data = data | {"account": counter.account}
    await _run(connection, vault, counter, event_type, data)
    return coupon_id


async def standing(connection: Connection, counter: Counter, code: str) -> Standing:
    """How the coupon stands now. Raises `CouponUnknown`."""
    found = await standings(connection, counter, [code])
    if not found:
        raise CouponUnknown
    return found[0]


async def standings(
    connection: Connection, counter: Counter, codes: Sequence[str]
) -> list[Standing]:
    """How these coupons stand, those that exist; as many reads as one."""
    keys = [ids.coupon_id(normalise_code(code)) for code in codes]
    rows = await connection.fetch(queries("coupons")["standing"], keys, counter.profile_id)
    return [_standing(row) for row in rows]


async def known(connection: Connection, counter: Counter, codes: Sequence[str]) -> list[Standing]:
    """How these coupons stand, each once, in the order asked. Raises `CouponUnknown`."""
    by_code = {one.offer.code: one for one in await standings(connection, counter, codes)}
    wanted = dict.fromkeys(normalise_code(code) for code in codes)
    if not wanted.keys() <= by_code.keys():
        raise CouponUnknown
    return [by_code[code] for code in wanted]


async def head(connection: Connection, coupon_id: Key) -> dict[str, Any]:
    """The coupon's row as the API shows it after a command."""
    row = await connection.fetchrow(queries("coupons")["head"], coupon_id)
    assert row is not None
    return dict(row)


def _standing(row: Any) -> Standing:
    offer = Offer(
        row["code"],
        row["kind"],
        row["template"],
        row["face_value_minor"],
        row["currency"],
        msgspec.convert(row["terms"], Terms),
    )
    rights = Rights(row["is_held"], row["is_holder"], row["has_recipient"], row["proof"])
    unusable = None
    if row["status"] not in ("issued", "claimed"):
        unusable = row["status"]
    elif row["valid_from"] is not None and row["now"] < row["valid_from"]:
        unusable = "not_valid_yet"
    elif row["usable_until"] is not None and row["now"] >= row["usable_until"]:
        unusable = "expired"
    free = row["uses_left"] - row["uses_reserved"]
    sold = (row["kind"], row["paid_minor"], row["uses_total"], row["uses_redeemed"])
    back_minor = coupon_worth.refund_minor(*sold)
    who = (row["coupon_id"], row["holder_id"])
    return Standing(row["channel"], row["shop"], offer, rights, unusable, free, back_minor, *who)


def _amount(minor: int, currency: str | None) -> dict[str, str]:
    assert currency is not None  # what was paid has one
    return {
        "amount": money.decimal_text(minor, money.exponent(currency)),
        "currency": currency,
    }


async def _hold(connection: Connection, code: str) -> Key:
    """Hold back everything else about this coupon until the transaction ends."""
    coupon_id = ids.coupon_id(normalise_code(code))
    await log.claim(connection, [coupon_id])
    return coupon_id


async def _is_redeemed(
    connection: Connection, coupon_id: Key, counter: Counter, redemption_id: str
) -> bool:
    name = (coupon_id, counter.channel, counter.shop, redemption_id)
    return bool(await connection.fetchval(queries("coupons")["is_redeemed"], *name))


async def _run(
    connection: Connection, vault: Vault, counter: Counter, event_type: str, data: dict[str, Any]
) -> None:
    wanted = Decision(event_type, counter.channel, counter.shop, data["code"], data)
    await commands.run(connection, vault, [wanted])


def _raise(refusal: Refusal | None) -> None:
    if refusal is not None:
        code, reason = refusal
        raise Refused(code, reason)
