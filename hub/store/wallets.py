"""Wallets: what a member can spend now of all its profiles' points, and whose points would be used.

What it says is true at the time of the database's clock: lots that opened or ended count, and holds
that timed out become decisions, made before any other. Deciding is in `hub.store.spending`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hub.domain import ids, settling
from hub.domain.decisions import Decision
from hub.domain.earning import NEVER, Bill, Redeeming
from hub.domain.ids import Key, derived
from hub.domain.points import Account, Lot, Step
from hub.errors import Refused
from hub.store import log, points, points_rules
from hub.store.db import Connection, queries

ROUNDS_MAX = 5
"""Times a wallet looks again because a merge changed its member meanwhile."""


class Wallet(Struct):
    """A member's points as they are at a time; redeeming: how many can be spent on one order; due:
    holds whose end is to be decided first."""

    at: datetime
    accounts: Sequence[Account]
    lots: Sequence[Lot]
    redeeming: Redeeming
    due: Sequence[Decision]

    @property
    def available_points(self) -> int:
        return sum(one.open_points - one.debt_points for one in self.accounts)

    def shares(self, wanted: int, bill: Bill | None = None) -> list[dict[str, object]]:
        """Whose points are used, from the lot that ends first; refused if they are not enough, or
        not what the rule lets somebody spend on this bill."""
        if (reason := self.redeeming.refuse(wanted, bill)) is not None:
            raise Refused("points_rule", reason)
        if wanted > self.available_points:
            # How many there are is for those to read who may see all of the member's channels.
            raise Refused("points_short", f"fewer than {wanted} points are available")
        shares: list[dict[str, object]] = []
        for lot in sorted(self.lots, key=_spending_order):
            taken = min(lot.open_points, wanted)
            wanted -= taken
            if taken:
                shares.append({"profile_id": ids.text(lot.profile_id), "points": taken})
        return shares


def _spending_order(lot: Lot) -> tuple[datetime, datetime, Key]:
    return lot.grace_until or lot.expires_at or NEVER, lot.earned_at, lot.lot_id


async def open_wallet(connection: Connection, profile: Key, claimed: Sequence[Key]) -> Wallet:
    """The wallet of the member to whom a profile belongs, locked until the transaction ends.

    claimed: the spending it is opened for and what else is decided with it, locked first, as a
    stream's write would. Refused where nobody knows the profile.
    """
    profiles = await _claim(connection, profile, claimed)
    accounts = await points.lock(connection, profiles)
    at = await now(connection)
    over = await _timed_out(connection, profiles, at)
    return await _told(connection, accounts, at, over)


async def look_into(connection: Connection, profile: Key) -> Wallet:
    """The same wallet as it is now, without a lock: good for saying what can be spent, not for
    spending it."""
    profiles = await _profiles(connection, profile)
    accounts = await points.look(connection, profiles)
    at = await now(connection)
    over = await connection.fetch(queries("wallets")["timed_out"], profiles, at)
    return await _told(connection, accounts, at, over)


async def _told(
    connection: Connection, accounts: dict[Key, Account], at: datetime, over: Sequence[Any]
) -> Wallet:
    """The wallet of these accounts at a time; over: holds that end now."""
    profiles = list(accounts)
    lots, steps = await points.load(connection, profiles)
    due = [ending("hold.expired", row) for row in over]
    rules = await points_rules.load(connection)
    freed = {derived("use", row["spend_id"], row["hold_id"].encode()) for row in over}
    for one in profiles:
        account = accounts[one]
        # What is spent now moves the account's clock: lots that open or end meanwhile need no word.
        account.settled_at = max(account.settled_at, at)
        told = steps[one] + _given_back(steps[one], freed, at)
        dated = [replace(step, grace_until=rules.grace_until(step.at)) for step in told]
        settling.settle(account, lots[one], dated)
    all_lots = [lot for one in profiles for lot in lots[one].values()]
    return Wallet(at, list(accounts.values()), all_lots, rules.at(at).redeeming, due)


async def refuse_unknown(connection: Connection, profile: Key) -> None:
    """Refuse what is decided for an account that nobody knows."""
    await _profiles(connection, profile)


async def _claim(connection: Connection, profile: Key, claimed: Sequence[Key]) -> list[Key]:
    """Claim these and the member's profiles, in the order of streams; the profiles."""
    profiles = await _profiles(connection, profile)
    for _ in range(ROUNDS_MAX):
        known = profiles
        await log.claim(connection, [*claimed, *profiles])
        await connection.fetch(queries("wallets")["lock_member"], profile)
        profiles = await _profiles(connection, profile)
        if profiles == known:
            return profiles
    raise Refused("member_changes", "the member is being merged: try again")


async def _profiles(connection: Connection, profile: Key) -> list[Key]:
    rows = await connection.fetch(queries("wallets")["profiles"], profile)
    if not rows:
        raise Refused("account_unknown", "nobody knows an account of this name")
    return sorted(row["profile_id"] for row in rows)


async def _timed_out(connection: Connection, profiles: list[Key], at: datetime) -> list[Any]:
    """Holds of these profiles that are over, but those that somebody else is just ending."""
    rows = await connection.fetch(queries("wallets")["timed_out"], profiles, at)
    return [row for row in rows if await log.try_claim(connection, row["spend_id"])]


def _given_back(steps: Iterable[Step], freed: set[Key], at: datetime) -> list[Step]:
    """What the end of these holds gives back."""
    taken: dict[Key, int] = {}
    for step in steps:
        if step.use_id in freed:
            taken[step.use_id] = taken.get(step.use_id, 0) - step.points
    return [Step(use_id, at, points) for use_id, points in taken.items()]


async def now(connection: Connection) -> datetime:
    """The time by the database's clock, which all processes share: what waited for a lock looks
    at it after those it waited for."""
    at = await connection.fetchval(queries("commands")["clock"])
    assert isinstance(at, datetime)
    return at


def ending(kind: str, row: Any, captured: int = 0) -> Decision:
    """A decision that ends a hold; row names the hold and its order."""
    data = {"hold_id": row["hold_id"], "order_number": row["order_number"]}
    if captured:
        data["points"] = captured
    return Decision(kind, row["channel"], row["shop"], row["order_number"], data)
