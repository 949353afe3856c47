"""A platform's coupon verified through the hub, at a platform that answers late, wrongly or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from hub.domain import coupon_verification
from hub.domain.coupon_verification import Answer, Call
from hub.errors import Refused
from hub.store import check, coupon_verifications, db
from hub.store.coupon_commands import Counter
from hub.store.coupon_verifications import Connect, Voucher
from hub.store.digest import digest
from hub.store.replay import replay
from tests.event_maker import Shop
from tests.integration.store.stage import Store
from tests.integration.store.test_erasure import undone

WEB = Shop("douyin")
VOUCHER = Voucher(Counter("douyin", "xuhui", "a"), "DY-1", "use-1", place="xuhui")


class Counterpart:
    """A platform: what is verified there, which calls came, and which answers are lost."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.verified: set[str] = set()
        self.lost: list[Call] = []
        self.unheard: list[Call] = []

    async def call(self, call: Call, voucher: Voucher) -> Literal["done", "refused"]:
        self.calls.append(call)
        if call in self.unheard:
            self.unheard.remove(call)
            raise ConnectionError
        name = voucher.verification_id
        if call == "verify":
            assert name not in self.verified, "verified twice"
            self.verified.add(name)
        elif call == "cancel":
            self.verified.discard(name)
        if call in self.lost:
            self.lost.remove(call)
            raise TimeoutError
        is_done = call != "query" or name in self.verified
        return "done" if is_done else "refused"


@pytest.fixture
async def sold(store: Store) -> Store:
    await store.take(WEB.body("coupon.issued", 1, code="DY-1", kind="platform"))
    return store


@pytest.fixture
def connect(store: Store) -> Connect:
    @asynccontextmanager
    async def connected() -> AsyncIterator[db.Connection]:
        connection = await db.connect(store.database.dsn("writer"))
        try:
            yield connection
        finally:
            await connection.close()

    return connected


@pytest.fixture
def reach(store: Store, connect: Connect) -> Callable[..., object]:
    async def reached(platform: Counterpart, wanted: Literal["verified", "cancelled"]) -> str:
        return await coupon_verifications.reach(connect, store.vault, platform, VOUCHER, wanted)

    return reached


@pytest.fixture(autouse=True)
async def kept(store: Store) -> AsyncIterator[None]:
    """After each test the invariants hold, and a replay gives the same rows."""
    yield
    broken = [r for r in await check.run(store.database.dsn("writer")) if r.violations]
    assert not broken
    again = await replay(store.database.dsn("owner"), store.vault)
    assert again.is_equal, again.differences


async def uses(store: Store) -> list[tuple[str, bool]]:
    """(id, whether it stands)"""
    rows = await store.rows(
        "select redemption_id, is_accepted and reversed_at is null as is_live"
        " from coupon_redemptions"
    )
    return [(row["redemption_id"], row["is_live"]) for row in rows]


async def test_a_platforms_voucher_is_prepared_verified_and_a_use(sold: Store, reach) -> None:
    platform = Counterpart()
    assert await reach(platform, "verified") == "verified"
    assert platform.calls == ["prepare", "verify"]
    assert await uses(sold) == [("use-1", True)]
    assert await sold.value("select status from coupons") == "redeemed"
    assert await reach(platform, "verified") == "verified"
    assert len(platform.calls) == 2


async def test_the_platforms_verification_times_out_so_query_first_never_a_second_verify(
    sold: Store, reach
) -> None:
    platform = Counterpart()
    platform.lost = ["verify"]
    assert await reach(platform, "verified") == "unknown"
    assert await uses(sold) == []
    assert await reach(platform, "verified") == "verified"
    assert platform.calls == ["prepare", "verify", "query"]
    assert await uses(sold) == [("use-1", True)]


async def test_a_verification_that_never_reached_the_platform_is_sent_after_the_query(
    sold: Store, reach
) -> None:
    platform = Counterpart()
    platform.unheard = ["verify", "query"]
    assert await reach(platform, "verified") == "unknown"
    assert await reach(platform, "verified") == "unknown"
    assert await reach(platform, "verified") == "verified"
    assert platform.calls == ["prepare", "verify", "query", "query", "verify"]
    assert await uses(sold) == [("use-1", True)]


async def test_a_verification_is_cancelled_and_what_was_not_answered_is_asked_about(
    sold: Store, reach
) -> None:
    platform = Counterpart()
    await reach(platform, "verified")
    platform.lost = ["cancel"]
    assert await reach(platform, "cancelled") == "cancelling"
    assert await uses(sold) == [("use-1", True)]
    assert await reach(platform, "cancelled") == "cancelled"
    assert platform.calls[2:] == ["cancel", "query"]
    assert await uses(sold) == [("use-1", False)]


async def test_a_crash_between_the_call_and_its_answer_leaves_it_to_be_asked_about(
    sold: Store, reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Counterpart()

    async def crashes(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as crash:
        crash.setattr(coupon_verifications, "answer", crashes)
        with pytest.raises(asyncio.CancelledError):
            await reach(platform, "verified")
    assert platform.calls == ["prepare"]
    # It may yet be answered: another process does not ask beside it.
    with pytest.raises(Refused) as refused:
        await reach(platform, "verified")
    assert refused.value.code == "verification_in_flight"


async def test_a_call_that_was_never_answered_is_a_case_until_the_platform_is_asked(
    sold: Store, reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Counterpart()
    calls: list[tuple[Call, Answer | None]] = [("prepare", "done"), ("verify", None)]
    for call, said in calls:
        async with sold.connection.transaction():
            await coupon_verifications.send(sold.connection, sold.vault, VOUCHER, call, call)
        if said is not None:
            async with sold.connection.transaction():
                await coupon_verifications.answer(
                    sold.connection, sold.vault, VOUCHER, call, "done"
                )

    async def given_up() -> int:
        async with sold.connection.transaction():
            return await coupon_verifications.give_up_overdue(sold.connection, sold.vault)

    assert await given_up() == 0  # it may yet be answered
    assert await sold.value("select count(*) from cases") == 0
    monkeypatch.setattr(coupon_verification, "ANSWER_WITHIN", coupon_verification.timedelta(0))
    assert [await given_up(), await given_up()] == [1, 0]
    (case,) = await sold.rows("select kind, state from cases")
    assert tuple(case.values()) == ("coupon_unanswered", "open")
    platform.verified.add("use-1")
    assert await reach(platform, "verified") == "verified"
    assert await sold.value("select state from cases") == "closed"


async def test_an_unanswered_call_may_be_asked_about_once_nobody_waits_for_it(
    sold: Store, reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform = Counterpart()
    vault = sold.vault
    calls: list[tuple[Call, Answer | None]] = [("prepare", "done"), ("verify", None)]
    for call, said in calls:
        async with sold.connection.transaction():
            await coupon_verifications.send(sold.connection, vault, VOUCHER, call, call)
        if said is not None:
            async with sold.connection.transaction():
                await coupon_verifications.answer(sold.connection, vault, VOUCHER, call, said)
    platform.verified.add("use-1")
    monkeypatch.setattr(coupon_verification, "ANSWER_WITHIN", coupon_verification.timedelta(0))
    assert await reach(platform, "verified") == "verified"
    assert platform.calls == ["query"]


async def test_the_platforms_own_report_of_a_verified_use_is_the_same_use(
    sold: Store, reach
) -> None:
    await reach(Counterpart(), "verified")
    report = {"code": "DY-1", "redemption_id": "use-1", "place": "xuhui"}
    await sold.take(Shop("douyin", "xuhui").body("coupon.redeemed", 9, **report))
    assert await uses(sold) == [("use-1", True)]
    assert await sold.value("select count(*) from cases") == 0


async def test_a_coupon_of_the_hubs_own_needs_no_platform(store: Store, reach) -> None:
    await store.take(WEB.body("coupon.issued", 1, code="DY-1", kind="discount"))
    with pytest.raises(Refused) as refused:
        await reach(Counterpart(), "verified")
    assert refused.value.code == "not_the_platforms"


async def test_calls_and_answers_in_any_order_end_alike(store: Store) -> None:
    use = {"code": "DY-1", "verification_id": "use-1"}
    shop, told = (
        Shop("douyin", "xuhui"),
        [WEB.body("coupon.issued", 1, code="DY-1", kind="platform")],
    )
    calls = [("prepare", "done"), ("verify", None), ("query", "done"), ("cancel", "done")]
    for minute, (call, said) in enumerate(calls, start=2):
        named = use | {"call_id": f"c-{minute}"}
        told.append(shop.decision("coupon.verification_called", minute, **named, call=call))
        if said is not None:
            answered = named | {"answer": said}
            told.append(shop.decision("coupon.verification_answered", minute + 0.5, **answered))
    found = set()
    for turn in range(len(told)):
        for order in (told[turn:] + told[:turn], (told[turn:] + told[:turn])[::-1]):
            async with undone(store):
                for body in order:
                    await store.take(body)
                assert await uses(store) == [("use-1", False)]
                found.add(tuple(sorted((await digest(store.connection)).items())))
    assert len(found) == 1


async def test_a_use_goes_once_an_earlier_answer_says_that_it_was_never_verified(
    sold: Store,
) -> None:
    use, shop = {"code": "DY-1", "verification_id": "use-1"}, Shop("douyin", "xuhui")

    def called(minute: float, call: str) -> bytes:
        data = use | {"call_id": call, "call": call}
        return shop.decision("coupon.verification_called", minute, **data)

    def answered(minute: float, call: str, said: str) -> bytes:
        data = use | {"call_id": call, "answer": said}
        return shop.decision("coupon.verification_answered", minute, **data)

    await sold.take(called(2, "prepare"), answered(2.5, "prepare", "done"))
    await sold.take(called(3, "verify"), called(5, "query"), answered(5.5, "query", "done"))
    assert await uses(sold) == [("use-1", True)]
    await sold.take(answered(3.5, "verify", "refused"))
    assert await uses(sold) == []
    assert await sold.value("select uses_redeemed from coupons") == 0
