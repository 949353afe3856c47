"""Coupons whose validity is over end by a decision of the hub. Not here: what an ending means.

It counts from the moment from which nothing kept the coupon alive, not from when somebody looked:
looked at twice or days late, the coupon ends in the same state.
"""

from hub.domain.decisions import Decision
from hub.errors import Refused
from hub.store import commands, log
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

OVERDUE_MAX = 200
"""Coupons ended in one transaction: each stays locked until COMMIT."""
REASON = "its validity is over"


async def expire_overdue(connection: Connection, vault: Vault) -> int:
    """End coupons whose time is over, at most OVERDUE_MAX; how many.

    One that another write has is left out: it may be used at this moment. So is a platform's
    coupon, which the platform ends, and a frozen one, whose refund was applied for in time.
    """
    found = await connection.fetch(queries("coupons")["overdue"], OVERDUE_MAX)
    keys = [row["coupon_id"] for row in found]
    claimed = [key for key in keys if await log.try_claim(connection, key)]
    ended = 0
    for row in await connection.fetch(queries("coupons")["still_overdue"], claimed):
        code = row["code"]
        data = {"code": code, "reason": REASON}
        expired = Decision("coupon.expired", row["channel"], row["shop"], code, data)
        try:
            async with connection.transaction():
                await commands.run(connection, vault, [expired], row["overdue_at"])
        except Refused:
            continue  # one that cannot end by itself keeps no other from ending
        ended += 1
    return ended
