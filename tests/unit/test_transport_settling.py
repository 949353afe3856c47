"""A write is tried until it is known to have counted, and counts once."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

import asyncpg
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from hub.store.offsets import FencedError, StoredOffset
from streams.transport import settling
from streams.transport.batch import Batch, Slice
from streams.transport.settling import BACKOFF_MAX_S, Settling, backoff_s
from streams.transport.state import TransportState

TP = TopicPartition("orders", 0)
RECORD = ConsumerRecord("orders", 0, 4, 0, 0, None, b"v", None, -1, 1, ())
BATCH = Batch((Slice(TP, [RECORD], 4, 5),), "cluster")


class Handler:
    """Keeps an offset as Postgres would; `faults` say what goes wrong in each try."""

    def __init__(self, *faults: Callable[["Handler"], None]) -> None:
        self.offset: int | None = 4
        self.commits = 0
        self.tries = 0
        self._faults = list(faults)

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def decode(self, batch: Batch) -> Any:
        return None

    async def stored_offsets(
        self, tps: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, StoredOffset]:
        return {} if self.offset is None else {TP: StoredOffset(self.offset, "cluster")}

    async def store(self, decoded: Any, batch: Batch) -> None:
        self.tries += 1
        if self._faults:
            self._faults.pop(0)(self)
        else:
            self.commit()

    def commit(self) -> None:
        self.commits += 1
        self.offset = 5


def lose_the_commit(handler: Handler) -> None:
    raise ConnectionResetError("before COMMIT")


def lose_the_reply(handler: Handler) -> None:
    handler.commit()
    raise asyncpg.ConnectionDoesNotExistError("after COMMIT, before its reply")


def be_overtaken(handler: Handler) -> None:
    handler.offset = 77
    raise ConnectionResetError("and another worker stored meanwhile")


def have_a_bug(handler: Handler) -> None:
    raise KeyError("a bug")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "BACKOFF_FIRST_S", 0.0)


@pytest.fixture
def state() -> TransportState:
    return TransportState()


async def test_a_commit_that_was_lost_is_tried_again(state: TransportState) -> None:
    handler = Handler(lose_the_commit, lose_the_commit)
    await Settling(handler, state, "lane 0").store(None, BATCH)
    assert (handler.tries, handler.commits) == (3, 1)


async def test_a_commit_whose_reply_was_lost_counts_once(state: TransportState) -> None:
    handler = Handler(lose_the_reply)
    await Settling(handler, state, "lane 0").store(None, BATCH)
    assert (handler.tries, handler.commits) == (1, 1)


async def test_the_first_batch_of_a_partition_has_no_row_to_look_at(
    state: TransportState,
) -> None:
    handler = Handler(lose_the_commit)
    handler.offset = None
    await Settling(handler, state, "lane 0").store(None, BATCH)
    assert handler.commits == 1


async def test_offsets_that_moved_elsewhere_mean_a_fence(state: TransportState) -> None:
    handler = Handler(be_overtaken)
    with pytest.raises(FencedError):
        await Settling(handler, state, "lane 0").store(None, BATCH)
    assert handler.commits == 0


async def test_trouble_is_told_while_it_lasts_and_no_longer(state: TransportState) -> None:
    told = []

    def look(handler: Handler) -> None:
        told.append(dict(state.trouble))
        lose_the_commit(handler)

    await Settling(Handler(look, look), state, "lane 0").store(None, BATCH)
    assert told[0] == {}
    assert "before COMMIT" in told[1]["lane 0"]
    assert state.trouble == {}


async def test_a_bug_in_the_handler_holds_the_partition_and_loses_nothing(
    state: TransportState,
) -> None:
    handler = Handler(have_a_bug)
    await Settling(handler, state, "lane 0").store(None, BATCH)
    assert handler.commits == 1


async def test_a_hanging_write_is_cut_off_and_looked_after(
    state: TransportState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "STORE_TIMEOUT_S", 0.01)

    class Hanging(Handler):
        async def store(self, decoded: Any, batch: Batch) -> None:
            if self.tries == 0:
                self.tries = 1
                await asyncio.sleep(60)
            await super().store(decoded, batch)

    handler = Hanging()
    await Settling(handler, state, "lane 0").store(None, BATCH)
    assert handler.commits == 1


async def test_a_write_that_is_cancelled_is_not_tried_again(state: TransportState) -> None:
    class Failing(Handler):
        async def store(self, decoded: Any, batch: Batch) -> None:
            self.tries += 1
            if self.tries == 3:
                writing.cancel()
            raise ConnectionResetError("before COMMIT")

    handler = Failing()
    writing = asyncio.create_task(Settling(handler, state, "lane 0").store(None, BATCH))
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert handler.tries == 3


def test_backoff_doubles_up_to_its_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "BACKOFF_FIRST_S", 0.05)
    assert 0.025 <= backoff_s(1) <= 0.05
    assert 0.05 <= backoff_s(2) <= 0.1
    assert all(BACKOFF_MAX_S / 2 <= backoff_s(n) <= BACKOFF_MAX_S for n in (10, 10_000))
