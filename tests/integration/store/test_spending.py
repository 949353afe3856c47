"""Spending points: holds, wallets over several profiles, channels that report what they spent."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hub.domain import earning, ids
from hub.errors import Refused
from hub.store import check, commands, db, replay, spending
from hub.store.spending import Asked
from tests.event_maker import Shop, line
from tests.integration.store.stage import Store

HOUR = timedelta(hours=1)
PHONE = {"type": "phone", "value": "13912345678", "proof": "verified"}
BALANCE = (
    "select sum(open_points)::int as open, sum(debt_points)::int as debt,"
    " sum(held_points)::int as held, sum(spent_points)::int as spent from points_accounts"
)


def asked(points: int, number: str = "N-1", channel: str = "web", account: str = "a") -> Asked:
    return Asked(channel, "1", account, number, points)


class Till:
    """Makes decisions, each in a transaction of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def spend(self, points: int, number: str = "N-1", channel: str = "web") -> bool:
        async with self.store.connection.transaction():
            return await spending.spend(
                self.store.connection, self.store.vault, asked(points, number, channel)
            )

    async def hold(
        self, points: int, number: str = "N-1", hold_id: str = "h-1", length: timedelta = HOUR
    ) -> None:
        async with self.store.connection.transaction():
            await spending.hold(
                self.store.connection, self.store.vault, asked(points, number), hold_id, length
            )

    async def capture(self, points: int, hold_id: str = "h-1") -> None:
        async with self.store.connection.transaction():
            row = await spending.find_hold(self.store.connection, hold_id)
            await spending.capture(self.store.connection, self.store.vault, row, points)

    async def void(self, hold_id: str = "h-1") -> None:
        async with self.store.connection.transaction():
            row = await spending.find_hold(self.store.connection, hold_id)
            await spending.void(self.store.connection, self.store.vault, row)

    async def close_due(self) -> int:
        async with self.store.connection.transaction():
            return await spending.close_due(self.store.connection, self.store.vault)

    async def balance(self) -> dict[str, int]:
        return await self.store.row(BALANCE)

    async def cases(self) -> list[str]:
        rows = await self.store.rows("select kind from cases where state = 'open' order by kind")
        return [row["kind"] for row in rows]


@pytest.fixture
async def till(store: Store) -> Till:
    """A till; the member has 100 points on the website and 50 in the mini-program."""
    for channel, points in (("web", 100), ("mini", 50)):
        shop = Shop(channel)
        await store.take(shop.body("member.registered", 0, account="a", identifiers=[PHONE]))
        await store.take(shop.body("points.earned", 1, account="a", points=points))
    return Till(store)


@pytest.fixture(autouse=True)
async def kept(store: Store) -> Any:
    """After each test the books balance."""
    yield
    broken = [r for r in await check.run(store.database.dsn("writer")) if r.violations]
    assert not broken


def redeemed(points: int, number: str = "N-1", channel: str = "web") -> bytes:
    return Shop(channel).body(
        "points.redeemed",
        5,
        event_id=f"r-{channel}-{points}-{number}",
        account="a",
        points=points,
        order_number=number,
    )


async def test_a_spending_takes_from_all_profiles_of_the_member(till: Till) -> None:
    assert await till.spend(130)
    assert await till.balance() == {"open": 20, "debt": 0, "held": 0, "spent": 130}


async def test_the_lot_that_ends_first_is_spent_first_whichever_profile_has_it(
    till: Till, store: Store
) -> None:
    soon = (datetime.now(UTC) + HOUR).isoformat()
    earned = {"account": "a", "points": 30, "expires_at": soon}
    await store.take(Shop("web").body("points.earned", 2, event_id="s", **earned))
    await till.spend(30)
    spent = await store.rows("select profile_id, spent_points from points_accounts")
    assert {row["profile_id"]: row["spent_points"] for row in spent} == {
        ids.profile_id("mini", "a"): 0,
        ids.profile_id("web", "a"): 30,
    }


async def test_merge_of_two_members_who_both_hold_points_in_lots_of_different_expiry(
    store: Store,
) -> None:
    """Lots kept, sum unchanged."""
    for channel, days in (("web", 3), ("mini", 9)):
        ends = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        earned = {"account": "a", "points": 10 * days, "expires_at": ends}
        await store.take(Shop(channel).body("points.earned", 1, **earned))
    lots = "select lot_id, profile_id, open_points, expires_at from points_lots order by lot_id"
    before = await store.rows(lots)
    for channel in ("web", "mini"):
        await store.take(
            Shop(channel).body(
                "member.registered", 2, account="a", event_id="m", identifiers=[PHONE]
            )
        )
    assert await store.value("select count(distinct member_id) from profiles") == 1
    assert await store.rows(lots) == before
    assert await Till(store).spend(120)


async def test_spend_100_on_the_web_and_100_in_the_mini_program_at_once_with_150(
    till: Till, store: Store
) -> None:
    """Both are mastered by the hub => one is refused."""

    async def spend(channel: str) -> bool:
        connection = await db.connect(store.database.dsn("writer"))
        try:
            request = commands.Asked("key", channel, b"x")

            async def work(own: db.Connection) -> dict[str, Any]:
                order = asked(100, f"N-{channel}", channel)
                return {"is_new": await spending.spend(own, store.vault, order)}

            return (await commands.once(connection, request, work))["is_new"]
        finally:
            await connection.close()

    ends = await asyncio.gather(spend("web"), spend("mini"), return_exceptions=True)
    refused = [end for end in ends if isinstance(end, Refused)]
    assert len(refused) == 1, ends
    assert refused[0].code == "points_short"
    assert await till.balance() == {"open": 50, "debt": 0, "held": 0, "spent": 100}


async def test_spend_at_once_where_one_is_mastered_by_its_platform(
    till: Till, store: Store
) -> None:
    """Both stand, the overspend is a debt and a case; the next earnings repay it."""
    await till.spend(100, "N-web", "web")
    await store.take(redeemed(100, "N-mini", "mini"))
    balance = await till.balance()
    assert (balance["open"] - balance["debt"], balance["spent"]) == (-50, 200)
    assert await till.cases() == ["points_overspent"]
    earned = {"account": "a", "points": 100}
    await store.take(Shop("mini").body("points.earned", 9, event_id="later", **earned))
    assert await till.balance() == {"open": 50, "debt": 0, "held": 0, "spent": 200}
    assert await till.cases() == []


BOOKS = (
    "select p.channel, a.open_points::int as open, a.spent_points::int as spent,"
    " a.debt_points::int as debt"
    " from points_accounts as a join profiles as p using (profile_id) order by p.channel"
)
PAIR = {"account": "a", "other": {"channel": "mini", "account": "a"}}


async def test_un_merge_after_spending_spends_go_to_who_made_them_and_the_books_balance(
    till: Till, store: Store
) -> None:
    await till.spend(130)
    together = await store.rows(BOOKS)
    assert [(row["channel"], row["open"], row["spent"]) for row in together] == [
        ("mini", 0, 50),
        ("web", 20, 80),
    ]
    await store.take(Shop("web").decision("member.split", 60, **PAIR))
    assert await store.rows(BOOKS) == [
        {"channel": "mini", "open": 50, "spent": 0, "debt": 0},
        {"channel": "web", "open": 0, "spent": 130, "debt": 30},
    ]
    await store.take(Shop("web").body("points.earned", 70, event_id="more", account="a", points=45))
    assert (await store.rows(BOOKS))[1] == {"channel": "web", "open": 15, "spent": 130, "debt": 0}
    await store.take(Shop("web").decision("member.merged", 80, event_id="again", **PAIR))
    assert [(row["channel"], row["open"], row["spent"]) for row in await store.rows(BOOKS)] == [
        ("mini", 0, 50),
        ("web", 65, 80),
    ]
    again = await replay.replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences


async def test_points_that_come_back_after_an_un_merge_go_to_who_spent_them(
    till: Till, store: Store
) -> None:
    await till.spend(130)
    await store.take(Shop("web").decision("member.split", 60, **PAIR))
    back = {"order_number": "N-1", "points": 130}
    await store.take(Shop("web").body("points.returned", 70, event_id="back", **back))
    assert [(row["channel"], row["open"], row["debt"]) for row in await store.rows(BOOKS)] == [
        ("mini", 50, 0),
        ("web", 100, 0),
    ]


async def test_a_channel_that_decides_itself_is_never_refused(till: Till, store: Store) -> None:
    async with store.connection.transaction():
        await spending.report(store.connection, store.vault, asked(170))
    balance = await till.balance()
    assert (balance["debt"], balance["spent"]) == (70, 170)
    assert await till.cases() == ["points_overspent"]


@pytest.mark.parametrize("comes_first", ["command", "event"])
async def test_a_spending_and_the_report_of_it_are_one_effect(
    till: Till, store: Store, comes_first: str
) -> None:
    if comes_first == "event":
        await store.take(redeemed(80))
        assert not await till.spend(80)
    else:
        assert await till.spend(80)
        await store.take(redeemed(80))
    assert (await till.balance())["spent"] == 80
    assert await till.cases() == []


async def test_a_report_that_disagrees_opens_a_case_and_the_decision_stands(
    till: Till, store: Store
) -> None:
    await till.spend(80)
    await store.take(redeemed(90))
    assert (await till.balance())["spent"] == 80
    assert await till.cases() == ["points_disputed"]


async def test_a_spending_that_disagrees_with_the_report_is_refused(
    till: Till, store: Store
) -> None:
    await store.take(redeemed(80))
    with pytest.raises(Refused, match="80 points were spent"):
        await till.spend(90)
    assert (await till.balance())["spent"] == 80


async def test_a_hold_captured_in_part_frees_the_rest(till: Till) -> None:
    await till.hold(120)
    assert await till.balance() == {"open": 30, "debt": 0, "held": 120, "spent": 0}
    await till.capture(70)
    assert await till.balance() == {"open": 80, "debt": 0, "held": 0, "spent": 70}


async def test_a_hold_that_is_voided_gives_everything_back(till: Till) -> None:
    await till.hold(120)
    await till.void()
    assert await till.balance() == {"open": 150, "debt": 0, "held": 0, "spent": 0}
    with pytest.raises(Refused, match="voided before"):
        await till.capture(10)


async def test_more_than_was_held_cannot_be_captured(till: Till) -> None:
    await till.hold(20)
    with pytest.raises(Refused, match="more points"):
        await till.capture(21)
    assert (await till.balance())["held"] == 20


async def test_what_is_held_cannot_be_spent_elsewhere(till: Till) -> None:
    await till.hold(100)
    with pytest.raises(Refused, match="fewer than 51"):
        await till.spend(51, "N-2")


async def test_points_of_a_hold_that_timed_out_can_be_spent_at_once(till: Till) -> None:
    await till.hold(100, length=timedelta(milliseconds=20))
    await asyncio.sleep(0.03)
    assert await till.spend(150, "N-2")
    assert await till.balance() == {"open": 0, "debt": 0, "held": 0, "spent": 150}


async def test_a_capture_after_the_time_out_is_refused(till: Till) -> None:
    await till.hold(100, length=timedelta(milliseconds=20))
    await asyncio.sleep(0.03)
    with pytest.raises(Refused, match="timed out"):
        await till.capture(100)
    assert await till.close_due() == 1
    assert await till.close_due() == 0
    assert (await till.balance())["open"] == 150
    with pytest.raises(Refused, match="expired before"):
        await till.capture(100)


async def test_hold_times_out_while_its_capture_is_in_flight(till: Till, store: Store) -> None:
    """Exactly one wins, whichever asks first."""

    async def act(work: Callable[[db.Connection], Awaitable[Any]]) -> Any:
        connection = await db.connect(store.database.dsn("writer"))
        try:
            async with connection.transaction():
                return await work(connection)
        finally:
            await connection.close()

    async def capture(connection: db.Connection) -> str:
        row = await spending.find_hold(connection, "h-1")
        await asyncio.sleep(0.02)
        await spending.capture(connection, store.vault, row, 100)
        return "captured"

    async def expire(connection: db.Connection) -> int:
        await asyncio.sleep(0.02)
        return await spending.close_due(connection, store.vault)

    await till.hold(100, length=timedelta(milliseconds=30))
    ends = await asyncio.gather(act(capture), act(expire), return_exceptions=True)
    await asyncio.sleep(0.02)
    await till.close_due()
    status = await store.value("select status from points_holds")
    balance = await till.balance()
    if ends[0] == "captured":
        assert (status, balance["spent"], balance["open"]) == ("captured", 100, 50)
    else:
        assert isinstance(ends[0], Refused)
        assert (status, balance["spent"], balance["open"]) == ("expired", 0, 150)


SPENDERS = int(os.environ.get("HUB_SPENDERS", "500"))
"""Attempts to spend one balance at once; HUB_SPENDERS=5000 tries more."""
CONNECTIONS = 12


async def test_attempts_of_many_connections_to_spend_one_balance_spend_exactly_it(
    till: Till, store: Store
) -> None:
    waiting = iter([f"M-{number}" for number in range(SPENDERS)])
    answers: Counter[str] = Counter()

    async def buy(connection: db.Connection, channel: str) -> None:
        for number in waiting:

            async def work(held: Any, number: str = number) -> dict[str, Any]:
                await spending.spend(held, store.vault, asked(10, number, channel))
                return {}

            request = commands.Asked("k", f"{channel}-{number}", b"-")
            try:
                await commands.once(connection, request, work)
            except Refused as refused:
                answers[refused.code] += 1
            else:
                answers["spent"] += 1

    held = [await db.connect(store.database.dsn("writer")) for _ in range(CONNECTIONS)]
    try:
        buyers = [buy(one, ("web", "mini")[place % 2]) for place, one in enumerate(held)]
        await asyncio.gather(*buyers)
    finally:
        for one in held:
            await one.close()
    assert answers == {"spent": 15, "points_short": SPENDERS - 15}
    assert await till.balance() == {"open": 0, "debt": 0, "held": 0, "spent": 150}


async def test_points_of_an_order_that_is_refunded_in_part_go_back(
    till: Till, store: Store
) -> None:
    await till.spend(130)
    back = {"order_number": "N-1", "points": 40}
    await store.take(Shop("web").body("points.returned", 9, event_id="b-1", **back))
    # By the channel's clock they came back before they were spent by the hub's.
    assert await till.balance() == {"open": 60, "debt": 0, "held": 0, "spent": 90}
    back["points"] = 91
    await store.take(Shop("web").body("points.returned", 10, event_id="b-2", **back))
    assert (await store.outcomes())["b-2"] == "parked: points.redeemed"


def paid_by_points(minute: float, points: int) -> list[bytes]:
    """An order of 100.00, 30.00 of it paid by points."""
    shop = Shop("web")
    money = {"amount": "70.00", "currency": "CNY", "method": "wx", "payment_id": "p"}
    content = {"lines": [line(1, "cake", 1, "100.00")], "total": "100.00", "currency": "CNY"}
    tender = {"kind": "points", "amount": "30.00", "points": points}
    named = {"order_number": "N-1"}
    buyer = {"buyer": {"account": "a"}, "tenders": [tender]}
    return [
        shop.body("order.placed", minute, event_id="o-1", **named, **content, **buyer),
        shop.body("order.paid", minute + 1, event_id="o-2", **named, **money),
    ]


def refund(number: int, minute: float, amount: str) -> bytes:
    back = {"order_number": "N-1", "amount": amount, "currency": "CNY", "refund_id": f"r-{number}"}
    return Shop("web").body("refund.succeeded", minute, event_id=f"o-r-{number}", **back)


RETURNED = "select spent_points::int as spent, returned_points::int as back from points_spends"


async def test_order_partly_paid_by_points_partly_refunded_money_and_points_go_back_by_rule(
    till: Till, store: Store
) -> None:
    await till.spend(100)
    await store.take(*paid_by_points(10, 100))
    await store.take(refund(1, 20, "23.33"))
    assert await store.row(RETURNED) == {"spent": 100, "back": 33}
    await store.take(refund(2, 30, "23.33"))
    # The channel tells of what went back as well: one effect.
    told = {"order_number": "N-1", "points": 66}
    await store.take(Shop("web").body("points.returned", 31, event_id="told", **told))
    assert await store.row(RETURNED) == {"spent": 100, "back": 66}
    await store.take(refund(3, 40, "23.34"))
    assert await store.row(RETURNED) == {"spent": 100, "back": 100}
    again = await replay.replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences


async def test_a_refund_heard_of_before_its_spending_gives_back_as_much(
    till: Till, store: Store
) -> None:
    await store.take(*paid_by_points(10, 100), refund(1, 20, "35.00"))
    assert (await till.balance())["open"] == 150 + 35
    await store.take(redeemed(100))
    assert await store.row(RETURNED) == {"spent": 100, "back": 50}
    assert (await till.balance())["open"] == 150 + 35 - 50


async def test_points_are_pending_until_their_day_is_closed_and_expire_later(
    till: Till, store: Store
) -> None:
    now = datetime.now(UTC)
    opens, ends = now + timedelta(milliseconds=50), now + timedelta(milliseconds=120)
    earned = {"opens_at": opens.isoformat(), "expires_at": ends.isoformat(), "account": "a"}
    await store.take(Shop("web").body("points.earned", 2, event_id="p", points=25, **earned))
    states = "select pending_points, open_points, expired_points from points_lots where lot_id = %s"
    lot = states.replace("%s", "(select lot_id from points_lots where expires_at is not null)")
    assert tuple((await store.row(lot)).values()) == (25, 0, 0)
    await asyncio.sleep(0.07)
    assert await till.close_due() == 1
    assert tuple((await store.row(lot)).values()) == (0, 25, 0)
    await asyncio.sleep(0.07)
    # A day that was skipped is caught up with, and closed once.
    assert await till.close_due() == 1
    assert await till.close_due() == 0
    assert tuple((await store.row(lot)).values()) == (0, 0, 25)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_earn_is_pending_until_the_return_period_ends_cancelled_at_the_last_second_no_earn(
    till: Till, store: Store, monkeypatch: pytest.MonkeyPatch, is_cancelled: bool
) -> None:
    """Cancelled before its goods were handed over, or refunded in full after: its points wait for
    the end of the return period, which comes without them."""
    waits = {
        "version": "v1",
        "reason": "-",
        "valid_from": "2026-01-01T00:00:00+08:00",
        "points_per_unit": 1,
        "return_days": 7,
    }
    rules = msgspec.json.encode({"zone": "Asia/Shanghai", "rules": [waits]})
    monkeypatch.setattr(earning, "SCHEME", earning.read(rules))
    week, second = 7 * 24 * 60, 1 / 60
    over = Shop("web").body("order.picked_up", 20, event_id="over", order_number="N-1")
    await store.take(*paid_by_points(10, 100), *([] if is_cancelled else [over]))
    pending = "select sum(pending_points)::int as pending from points_accounts"
    assert await store.row(pending) == {"pending": 70}
    off = Shop("web").body("order.cancelled", 20 + week - second, event_id="x", order_number="N-1")
    await store.take(off if is_cancelled else refund(1, 20 + week - second, "70.00"))
    assert await store.row(pending) == {"pending": 0}
    await till.close_due()
    assert (await till.balance())["open"] == 150


async def test_a_replay_of_decisions_gives_the_same_rows(till: Till, store: Store) -> None:
    await till.hold(60)
    await till.capture(20)
    await store.take(redeemed(21))
    await till.spend(30, "N-2")
    await till.hold(10, "N-3", "h-3", timedelta(milliseconds=5))
    await asyncio.sleep(0.01)
    await till.close_due()
    await store.take(redeemed(100, "N-4", "mini"))
    again = await replay.replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences


async def test_an_account_nobody_knows_has_no_wallet(till: Till, store: Store) -> None:
    with pytest.raises(Refused, match="nobody knows"):
        async with store.connection.transaction():
            await spending.spend(store.connection, store.vault, asked(1, account="nobody"))
