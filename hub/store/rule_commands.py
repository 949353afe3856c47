"""What rules decide: each action that changes the hub's own state, as decisions like any other.

They are named after the effect, so an effect makes them once, and they carry how many effects led
to them. Each runs in the caller's transaction and raises `Refused`, or `BadEvent` for what a map
made that no event may say. Not here: deliveries and topics.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import coupon_codes, ids
from hub.domain.decisions import Decision
from hub.domain.ids import derived
from hub.errors import Refused
from hub.rules.facts import Effect, Fact
from hub.store import approvals, commands, coupon_commands, log, wallets
from hub.store.approvals import Wish
from hub.store.coupon_commands import Counter, CouponUnknown
from hub.store.db import Connection, queries
from hub.store.notices import Notice
from hub.store.sealing import Vault

TAG_PREFIX = "tag."
"""Tags of members are attributes: `tag.vip`."""
REASON_CHARS_MAX = 256


class Asked(Struct, frozen=True):
    """What a rule asks for about a fact."""

    rule: str
    fact: Fact
    effect: Effect

    @property
    def body(self) -> dict[str, Any]:
        return self.effect.body

    @property
    def by(self) -> str:
        return f"rule:{self.rule}"

    @property
    def channel(self) -> str:
        return str(self.body.get("channel") or self.fact.channel)

    @property
    def account(self) -> str:
        return str(self.body.get("member") or "")

    def given(self, *names: str) -> dict[str, Any]:
        """What the map made of these, as events say it: those that it made."""
        return {name: self.body[name] for name in names if self.body.get(name) is not None}

    def decision(self, kind: str, subject: str, data: dict[str, Any]) -> Decision:
        name, hops = self.effect.effect_id, self.effect.hops
        return Decision(kind, self.channel, self.fact.shop, subject, data, name, hops)


Result = dict[str, Any]


def notice_of(asked: Asked) -> Notice:
    """Whom `notify` is to tell. Raises `Refused`."""
    if not asked.channel or not asked.account:
        raise Refused("no_account", "the event names no account of a channel")
    purpose, medium = str(asked.body["purpose"]), str(asked.body["medium"])
    return Notice(asked.channel, asked.account, purpose, medium)


async def decide(connection: Connection, vault: Vault, asked: Asked) -> Result:
    """Do what the action says; what came of it."""
    return await _DOINGS[asked.effect.do](connection, vault, asked)


async def _issue_coupon(connection: Connection, vault: Vault, asked: Asked) -> Result:
    await _refuse_unknown_account(connection, asked)
    code = _code(vault, asked.effect.effect_id)
    data: Result = {
        "code": code,
        "kind": "discount",
        "account": asked.account,
        "template": asked.effect.to,
    }
    names = ("kind", "face_value", "currency", "valid_from", "valid_until", "order_number")
    data |= asked.given(*names)
    if asked.body.get("uses") is not None:
        data["uses"] = _whole(asked, "uses")
    if asked.body.get("valid_days") is not None:
        until = await wallets.now(connection) + timedelta(days=_whole(asked, "valid_days"))
        data["valid_until"] = until.isoformat()
    await commands.run(connection, vault, [asked.decision("coupon.issued", code, data)])
    return {"coupon_id": ids.text(ids.coupon_id(code))}


async def _void_coupon(connection: Connection, vault: Vault, asked: Asked) -> Result:
    code = coupon_codes.normalise_code(str(asked.body["code"]))
    await log.claim(connection, [ids.coupon_id(code)])
    try:
        found = await coupon_commands.standing(connection, Counter(asked.channel, ""), code)
    except CouponUnknown:
        raise Refused("coupon_unknown", "there is no coupon of this code") from None
    data = {"code": code} | asked.given("reason")
    # Only the channel that issued a coupon may void it; a rule is of the house.
    wanted = replace(asked.decision("coupon.voided", code, data), channel=found.channel, shop="")
    await commands.run(connection, vault, [wanted])
    return {"coupon_id": ids.text(ids.coupon_id(code))}


async def _earn_points(connection: Connection, vault: Vault, asked: Asked) -> Result:
    asked = await _with_account(connection, asked)
    names = ("reason", "order_number", "opens_at", "expires_at")
    data = {"account": asked.account, "points": _whole(asked, "points")} | asked.given(*names)
    await commands.run(connection, vault, [asked.decision("points.earned", asked.account, data)])
    return {"points": data["points"]}


async def _adjust_points(connection: Connection, vault: Vault, asked: Asked) -> Result:
    asked = await _with_account(connection, asked)
    points = _whole(asked, "points")
    data = {"account": asked.account, "points": points} | asked.given("reason", "order_number")
    decision = asked.decision("points.adjusted", asked.account, data)
    reason = str(asked.body["reason"])[:REASON_CHARS_MAX]
    wish = Wish("points", abs(points), [decision], asked.by, reason)
    approval = await approvals.decide(connection, vault, wish)
    return {"points": points} | ({"approval_id": ids.text(approval)} if approval else {})


async def _tag_member(connection: Connection, vault: Vault, asked: Asked) -> Result:
    await _refuse_unknown_account(connection, asked)
    tag = str(asked.body["tag"])
    if not 1 <= len(tag) <= 100:
        raise Refused("tag_length", "a tag has 1 to 100 characters")
    attributes = {f"{TAG_PREFIX}{tag}": str(asked.body.get("value", "yes"))}
    data = {"account": asked.account, "attributes": attributes}
    await commands.run(connection, vault, [asked.decision("member.updated", asked.account, data)])
    return {"tag": tag}


async def _open_case(connection: Connection, vault: Vault, asked: Asked) -> Result:
    kind = str(asked.body.get("object_kind") or asked.fact.type.partition(".")[0])
    key = str(asked.body.get("object_key") or asked.fact.subject)
    what = str(asked.body["what"])[:REASON_CHARS_MAX]
    return await open_case(connection, vault, asked, (kind, key), what)


async def open_case(
    connection: Connection, vault: Vault, asked: Asked, about: tuple[str, str], what: str
) -> Result:
    """A case about an object; none if one is open about it that somebody opened before."""
    await log.claim(connection, [derived("rule-case", *(one.encode() for one in about))])
    known = await connection.fetchval(queries("rule_runs")["open_case"], *about)
    if known is not None:
        return {"case_id": ids.text(known), "was_open": True}
    case_id = ids.text(derived("rule-case", asked.effect.effect_id.encode()))
    data = {
        "case_id": case_id,
        "by": asked.by,
        "reason": what,
        "object_kind": about[0],
        "object_key": about[1],
    }
    wanted = Decision(
        "case.opened", "", "", case_id, data, asked.effect.effect_id, asked.effect.hops
    )
    await commands.run(connection, vault, [wanted])
    return {"case_id": case_id}


_DOINGS: dict[str, Callable[[Connection, Vault, Asked], Awaitable[Result]]] = {
    "issue_coupon": _issue_coupon,
    "void_coupon": _void_coupon,
    "earn_points": _earn_points,
    "adjust_points": _adjust_points,
    "tag_member": _tag_member,
    "open_case": _open_case,
}
KINDS = frozenset(_DOINGS)
"""The actions that are decisions of the hub."""


async def _refuse_unknown_account(connection: Connection, asked: Asked) -> None:
    if not asked.channel or not asked.account:
        raise Refused("no_account", "the event names no account of a channel")
    profile = ids.profile_id(asked.channel, asked.account)
    await wallets.refuse_unknown(connection, profile)


async def _with_account(connection: Connection, asked: Asked) -> Asked:
    """The same with the account it is about: named, or of who bought the order."""
    if not asked.account and asked.body.get("order_number"):
        number = str(asked.body["order_number"])
        order_id = ids.order_id(asked.channel, asked.fact.shop, number)
        buyer = await connection.fetchval(queries("rule_effects")["buyer"], order_id)
        if buyer is None:
            raise Refused("no_buyer", "the hub knows no account that bought the order")
        body = asked.body | {"member": buyer}
        asked = replace(asked, effect=replace(asked.effect, body=body))
    await _refuse_unknown_account(connection, asked)
    return asked


def _whole(asked: Asked, name: str) -> int:
    value = asked.body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Refused("not_a_number", f"{name} is no whole number")
    try:
        return int(value)
    except ValueError:
        raise Refused("not_a_number", f"{name} is no whole number") from None


def _code(vault: Vault, effect_id: str) -> str:
    """The same each time for an effect, and nobody's to guess."""
    said = vault.value_hmac("coupon of a rule", effect_id)
    number = int.from_bytes(said, "big") % (1 << coupon_codes.RANDOM_BITS)
    return coupon_codes.make_code(number)
