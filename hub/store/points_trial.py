"""Trying a version of the points rule on the orders there are: what they would earn. Nothing is
written, and what levels add to points is left out."""

from datetime import datetime

from msgspec import Struct

from hub.domain import orders
from hub.domain.earning import Rates
from hub.domain.ids import Key
from hub.domain.orders import Folded
from hub.store import log, points_rules
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

CHUNK_ORDERS = 500
FIRST = bytes(16)
LOG_END = 2**63 - 1


class Trial(Struct):
    """What orders earned by the versions in force, and what they would by another one."""

    orders: int = 0
    changed: int = 0
    points_now: int = 0
    points_then: int = 0
    growth_now: int = 0
    growth_then: int = 0


async def try_rates(
    connection: Connection, vault: Vault, rates: Rates, since: datetime | None = None
) -> Trial:
    """What all orders would earn if these were the rates for what earned from `since` on, or ever.

    Folds all orders from the log in the caller's transaction, some hundreds at a time.
    """
    now = await points_rules.load(connection)
    then = now.tried(rates, since)
    trial = Trial()
    last: Key = FIRST
    while True:
        rows = await connection.fetch(queries("points_rules")["orders_after"], last, CHUNK_ORDERS)
        if not rows:
            return trial
        last = rows[-1]["order_id"]
        known = {row["order_id"]: row["first_received_at"] for row in rows}
        parents = {row["order_id"] for row in rows if row["is_parent"]}
        past = await log.history(connection, vault, "order", known, LOG_END)
        for order_id, events in past.items():
            is_parent = order_id in parents
            before, after = (orders.fold(events, is_parent, rules) for rules in (now, then))
            _count(trial, _earned(before), _earned(after))


def _earned(folded: Folded) -> tuple[int, int]:
    """Points and growth of all buyers that the order had."""
    points = sum(points for points, _ in folded.points.values())
    return points, sum(gain.growth for gain, _ in folded.growth.values())


def _count(trial: Trial, before: tuple[int, int], after: tuple[int, int]) -> None:
    trial.orders += 1
    trial.changed += before != after
    trial.points_now += before[0]
    trial.growth_now += before[1]
    trial.points_then += after[0]
    trial.growth_then += after[1]
