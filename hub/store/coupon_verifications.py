"""Verifying a platform's coupon at the platform: each call is kept before it is sent and its answer
after it, each in a transaction of its own, so no crash forgets that something may have been done.

Not here: which call may be made (`hub.domain.coupon_verification`), and how a platform is reached:
that is its channel's `Platform`.
"""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Literal, Protocol

from msgspec import Struct

from hub.domain import coupon_verification, ids
from hub.domain.coupon_codes import normalise_code
from hub.domain.coupon_platform import ANSWERED, CALLED
from hub.domain.coupon_verification import Answer, Call, State, Verification, next_call
from hub.domain.decisions import Decision
from hub.store import commands, log
from hub.store.coupon_commands import Counter
from hub.store.db import Connection, queries
from hub.store.sealing import Vault

CALL_TIMEOUT_S = 10.0
"""Far below `ANSWER_WITHIN`, from which on others may ask what became of a call."""
UNANSWERED_MAX = 100
CALLS_MAX = 6
"""In one go: query, prepare, verify, query, and one of them again."""
Connect = Callable[[], AbstractAsyncContextManager[Connection]]
"""A connection for one transaction: none is held while the platform is waited for."""


class Voucher(Struct, frozen=True):
    """One use of a platform's coupon: where it is wanted, its code, and the use's own id."""

    counter: Counter
    code: str
    verification_id: str
    place: str | None = None
    order_number: str | None = None


class Platform(Protocol):
    """What a channel whose platform issues coupons provides."""

    async def call(self, call: Call, voucher: Voucher) -> Literal["done", "refused"]:
        """Make one call. The same `verification_id` is one use at the platform. Raises `OSError`
        (TimeoutError and ConnectionError are such) where it was not answered."""
        ...


async def reach(
    connect: Connect,
    vault: Vault,
    platform: Platform,
    voucher: Voucher,
    wanted: Literal["verified", "cancelled"],
) -> State:
    """Lead a verification to what is wanted, as far as the platform answers; where it is then.

    What was not answered is asked about before anything else, here and by whoever comes next.
    Raises `Refused` where a call may not be made, such as beside one that is in flight.
    """
    for _ in range(CALLS_MAX):
        async with connect() as connection:
            now = await standing(connection, voucher)
            call = next_call(now, wanted)
            if call is None:
                return now.state
            call_id = str(uuid.uuid4())
            async with connection.transaction():
                await send(connection, vault, voucher, call, call_id)
        said = await _ask(platform, call, voucher)
        async with connect() as connection, connection.transaction():
            await answer(connection, vault, voucher, call_id, said)
        if said == "timed_out":
            break
    async with connect() as connection:
        return (await standing(connection, voucher)).state


async def standing(connection: Connection, voucher: Voucher) -> Verification:
    """How far the verification is."""
    counter = voucher.counter
    row = await connection.fetchrow(
        queries("coupons")["verification"],
        ids.coupon_id(normalise_code(voucher.code)),
        counter.channel,
        counter.shop,
        voucher.verification_id,
    )
    if row is None:
        return Verification()
    return Verification(row["state"], verified_at=row["verified_at"])


async def send(
    connection: Connection, vault: Vault, voucher: Voucher, call: Call, call_id: str
) -> None:
    """Keep that a call is made from now on. Raises `Refused` where it may not be."""
    about = {
        "call": call,
        "place": voucher.place,
        "account": voucher.counter.account,
        "order_number": voucher.order_number,
    }
    said = {name: value for name, value in about.items() if value is not None}
    await _decide(connection, vault, voucher, CALLED, {"call_id": call_id} | said)


async def answer(
    connection: Connection, vault: Vault, voucher: Voucher, call_id: str, said: Answer
) -> None:
    """Keep what became of a call."""
    data = {"call_id": call_id, "answer": said}
    await _decide(connection, vault, voucher, ANSWERED, data)


async def give_up_overdue(connection: Connection, vault: Vault) -> int:
    """Note of calls that nobody waits for any more that they were not answered, of at most
    UNANSWERED_MAX; how many. Whoever made them was killed before an answer could be kept.

    A coupon that another write has is left out: it may be keeping the answer at this moment.
    """
    at = datetime.now(UTC) - coupon_verification.ANSWER_WITHIN
    sql = queries("coupons")["unanswered"]
    found = await connection.fetch(sql, at, UNANSWERED_MAX, None)
    keys = {row["coupon_id"] for row in found}
    claimed = [key for key in sorted(keys) if await log.try_claim(connection, key)]
    rows = await connection.fetch(sql, at, UNANSWERED_MAX, claimed)
    for row in rows:
        counter = Counter(row["channel"], row["shop"])
        voucher = Voucher(counter, row["code"], row["verification_id"])
        await answer(connection, vault, voucher, row["call_id"], "timed_out")
    return len(rows)


async def _ask(platform: Platform, call: Call, voucher: Voucher) -> Answer:
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await platform.call(call, voucher)
    except OSError:
        return "timed_out"


async def _decide(
    connection: Connection, vault: Vault, voucher: Voucher, kind: str, data: dict[str, str]
) -> None:
    code, counter = normalise_code(voucher.code), voucher.counter
    named = {"code": code, "verification_id": voucher.verification_id}
    decision = Decision(kind, counter.channel, counter.shop, code, named | data)
    await commands.run(connection, vault, [decision])
