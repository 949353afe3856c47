"""Deciding that points are spent, held, captured, given free, and that days are over.

Each function works in the caller's transaction (`hub.store.commands.once`): it locks, looks at the
database's clock, and decides. `Refused` says why not. What a wallet holds: `hub.store.wallets`.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from hub.domain import ids
from hub.domain.decisions import Decision
from hub.domain.ids import Key
from hub.errors import Refused
from hub.store import commands, log
from hub.store.db import Connection, queries
from hub.store.sealing import Vault
from hub.store.wallets import ending, now, open_wallet

CLOSED_AT_ONCE_MAX = 200
"""What one transaction closes: nobody waits long for an account it holds."""


class Asked(Struct, frozen=True):
    """Points to be spent on an order by an account of a channel's shop."""

    channel: str
    shop: str
    account: str
    order_number: str
    points: int

    @property
    def spend_id(self) -> Key:
        return ids.spend_id(self.channel, self.shop, self.order_number)

    @property
    def profile_id(self) -> Key:
        return ids.profile_id(self.channel, self.account)

    def decision(self, kind: str, **data: object) -> Decision:
        named = {"account": self.account, "order_number": self.order_number}
        return Decision(
            kind, self.channel, self.shop, self.order_number, named | {"points": self.points} | data
        )


async def spend(connection: Connection, vault: Vault, asked: Asked) -> bool:
    """Spend points of the member's wallet on an order; False if the channel had reported it before,
    which is the same effect."""
    wallet = await open_wallet(connection, asked.profile_id, [asked.spend_id])
    known = await connection.fetchrow(queries("wallets")["spend"], asked.spend_id)
    if known is not None and known["spent_points"]:
        if (known["spent_points"], known["profile_id"]) == (asked.points, asked.profile_id):
            return False
        raise Refused(
            "points_spent_before",
            f"{known['spent_points']} points were spent on this order before",
            spent_points=known["spent_points"],
        )
    decided = asked.decision("points.spent", shares=wallet.shares(asked.points))
    await commands.run(connection, vault, [*wallet.due, decided], wallet.at)
    return True


async def report(connection: Connection, vault: Vault, asked: Asked) -> None:
    """Take down what a channel spent that decides about its points itself: what is missing is a
    debt and a case."""
    await commands.run(connection, vault, [asked.decision("points.redeemed")])


async def hold(
    connection: Connection, vault: Vault, asked: Asked, hold_id: str, length: timedelta
) -> datetime:
    """Set points of the member's wallet aside for an order; until when."""
    wallet = await open_wallet(connection, asked.profile_id, [asked.spend_id])
    expires_at = wallet.at + length
    decided = asked.decision(
        "hold.placed",
        shares=wallet.shares(asked.points),
        hold_id=hold_id,
        expires_at=expires_at,
    )
    await commands.run(connection, vault, [*wallet.due, decided], wallet.at)
    return expires_at


async def capture(connection: Connection, vault: Vault, row: Any, points: int) -> None:
    """Spend so many of a hold's points, the others are free again; row: see `find_hold`."""
    # Whoever claims the spending first also looks at the clock first: exactly one of them ends it.
    await commands.run(connection, vault, [ending("hold.captured", row, points)])


async def void(connection: Connection, vault: Vault, row: Any) -> None:
    """Give a hold's points free again."""
    await commands.run(connection, vault, [ending("hold.voided", row)])


async def find_hold(connection: Connection, hold_id: str) -> Any:
    """A hold with its order and member's profile; None if there is none."""
    return await connection.fetchrow(queries("wallets")["hold"], hold_id)


async def close_due(connection: Connection, vault: Vault) -> int:
    """Decide what time alone has changed until now: how many holds and accounts, at most
    CLOSED_AT_ONCE_MAX. To be called until it is 0; called twice, or late, it ends in the same
    state."""
    at = await now(connection)
    due = await connection.fetch(queries("wallets")["due_holds"], at, CLOSED_AT_ONCE_MAX)
    holds = [row["spend_id"] for row in due]
    left = CLOSED_AT_ONCE_MAX - len(holds)
    due = await connection.fetch(queries("wallets")["due_accounts"], at, left)
    accounts = [row["profile_id"] for row in due]
    await log.claim(connection, [*holds, *accounts])
    # Another process may have been faster while this one waited.
    held = await connection.fetch(queries("wallets")["still_held"], holds, at)
    open_ = await connection.fetch(queries("wallets")["still_due"], accounts, at)
    decided = [ending("hold.expired", row) for row in held]
    decided += [_closing(row["channel"], ids.text(row["profile_id"]), at) for row in open_]
    if decided:
        await commands.run(connection, vault, decided, at)
    return len(decided)


def _closing(channel: str, profile: str, through: datetime) -> Decision:
    """The decision that the days of an account until a time are over."""
    return Decision(
        "points.closed", channel, "", profile, {"profile_id": profile, "through": through}
    )
