"""Commands on members: register one, say that two are one, part one, forget one; and what a merge
would bring.

Each runs in the caller's transaction and raises `Refused` where it is not possible. What follows
from a ruling is in `hub.domain.matching`.
"""

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

from msgspec import Struct

from hub.domain import ids, matching, policy
from hub.domain.decisions import Decision
from hub.domain.ids import Key
from hub.errors import Refused
from hub.store import commands, log, matching_policies, membership
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

PAIRS_MAX = 400
"""Rulings made by one split: a person has a few accounts, not hundreds."""


class Account(Struct, frozen=True):
    """One profile: an account at a channel."""

    profile_id: Key
    channel: str
    account: str


async def accounts(connection: Connection, member_id: Key) -> list[Account]:
    """The profiles that belong to a member today, by id."""
    rows = await connection.fetch(queries("members")["accounts"], member_id)
    return [Account(*row) for row in rows]


async def register(
    connection: Connection, vault: Vault, place: tuple[str, str], data: dict[str, Any]
) -> tuple[Key, Key, bool]:
    """An account of a (channel, shop) and what it says of the person: its profile, the member it
    belongs to by now, and whether the account is new. data: the payload of `member.registered`."""
    channel, shop = place
    profile = ids.profile_id(channel, data["account"])
    await log.claim(connection, [profile])
    known = await connection.fetchval(queries("members")["is_registered"], profile)
    kind = "member.updated" if known else "member.registered"
    await commands.run(connection, vault, [Decision(kind, channel, shop, data["account"], data)])
    member: Any = await connection.fetchval(queries("members")["member_of"], profile)
    return profile, member, not known


async def merge(
    connection: Connection, vault: Vault, pair: tuple[Key, Key], reason: str | None
) -> Key:
    """Two members are one person; what was said to part them before is said anew."""
    left, right = [await accounts(connection, member_id) for member_id in pair]
    # Others may have merged them between the two looks: then one has accounts of the other.
    if not left or not right or set(left) & set(right):
        raise Refused("not_two_members", "two members with accounts are needed")
    named = {one.profile_id: one for one in [*left, *right]}
    said = await connection.fetch(queries("membership")["rulings"], list(named))
    parted = [
        (named[row["left_profile"]], named[row["right_profile"]])
        for row in said
        if not row["is_one"]
    ]
    rulings = [_ruling("member.merged", *two, reason) for two in parted or [(left[0], right[0])]]
    await commands.run(connection, vault, rulings)
    member: Any = await connection.fetchval(queries("members")["member_of"], left[0].profile_id)
    return member


async def split(
    connection: Connection, vault: Vault, parts: Sequence[Sequence[Account]], reason: str | None
) -> None:
    """Nobody of one part is the same person as one of another, whatever they share."""
    pairs = [pair for one, other in combinations(parts, 2) for pair in product(one, other)]
    if not 1 <= len(pairs) <= PAIRS_MAX:
        raise Refused("too_many_pairs", f"{len(pairs)} pairs of accounts, 1 to {PAIRS_MAX} can be")
    rulings = [_ruling("member.split", one, other, reason) for one, other in pairs]
    await commands.run(connection, vault, rulings)


async def erase(
    connection: Connection, vault: Vault, erased: Sequence[Account], reason: str | None
) -> None:
    """Forget the persons of these accounts, and what a clock that runs ahead said of them."""
    sql = queries("members")["last_told"]
    decisions = []
    for one in erased:
        if not one.account:
            raise Refused("erased_already", "the account was erased before")
        until: Any = await connection.fetchval(sql, one.profile_id)
        data = {"account": one.account, "reason": reason, "until": until}
        decisions.append(Decision("member.erased", one.channel, "", one.account, data))
    await commands.run(connection, vault, decisions)


async def conflicts(
    connection: Connection, vault: Vault, member_ids: Sequence[Key]
) -> list[dict[str, str]]:
    """What speaks against these members' being one: types in which they differ, and rulings."""
    owned = {
        one.profile_id: member_id
        for member_id in member_ids
        for one in await accounts(connection, member_id)
    }
    in_force = await matching_policies.in_force(connection)
    known = await membership.load(connection, vault, in_force, sorted(owned))
    found = [
        {"kind": "ruled_apart", "about": ""}
        for said in known.facts.rulings
        if not said.is_one and owned.get(said.left) != owned.get(said.right)
    ]
    exclusive = {kind for rule in in_force.types.values() for kind in rule.unless_differ}
    held: dict[tuple[str, str], dict[Key, set[Key]]] = {}
    for one in known.facts.holdings:
        if one.profile in owned and one.type in exclusive:
            by_member = held.setdefault((one.type, one.scope), {})
            by_member.setdefault(owned[one.profile], set()).add(one.value)
    for (kind, _), by_member in sorted(held.items()):
        if len(by_member) > 1 and not set.intersection(*by_member.values()):
            found.append({"kind": "differ", "about": kind})
    return found


async def regrouped(
    connection: Connection, vault: Vault, tried: policy.Policy
) -> dict[str, list[list[str]]]:
    """What another policy would make of the members there are: groups of accounts that would be
    merged or parted. Nothing is changed."""
    rows = await connection.fetch(queries("members")["all_profiles"])
    names = {row["profile_id"]: f"{row['channel']}/{row['account']}" for row in rows}
    known = await membership.load(connection, vault, tried, sorted(names))
    then = matching.resolve(known.facts, tried).members
    regrouped_by = matching.components((known.members[p], then[p]) for p in then)
    sets: dict[Key, list[Key]] = {}
    for profile in then:
        sets.setdefault(regrouped_by[then[profile]], []).append(profile)
    found: dict[str, list[list[str]]] = {"merged": [], "split": []}
    for profiles in sets.values():
        before, after = {known.members[p] for p in profiles}, {then[p] for p in profiles}
        if len(before) > 1 or len(after) > 1:
            kind = "merged" if len(after) < len(before) else "split"
            found[kind].append(sorted(names[profile] for profile in profiles))
    return found


def _ruling(kind: str, one: Account, other: Account, reason: str | None) -> Decision:
    named = {"channel": other.channel, "account": other.account}
    data = {"account": one.account, "other": named, "reason": reason}
    return Decision(kind, one.channel, "", one.account, data)
