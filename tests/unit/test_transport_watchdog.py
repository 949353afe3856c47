"""The watchdog ends a worker that has silently stopped, and no other."""

from aiokafka import TopicPartition

from streams.transport.state import TransportState
from streams.watchdog import STALL_S, StallClock

TP = TopicPartition("orders", 0)
BEHIND = {TP: 10}


def state(reached: int = 5) -> TransportState:
    return TransportState(assigned=frozenset([TP]), reached={TP: reached})


def looks(
    clock: StallClock, seen: TransportState, ends: dict[TopicPartition, int] | None = BEHIND
) -> list[bool]:
    """What is said at the first look and STALL_S after it."""
    return [clock.is_stalled(now, ends, seen) for now in (0.0, 1.0, STALL_S + 0.5, STALL_S + 1.5)]


def test_lag_without_progress_for_15_s_is_a_stall() -> None:
    assert looks(StallClock(), state()) == [False, False, False, True]


def test_progress_starts_the_clock_anew() -> None:
    clock, seen = StallClock(), state()
    clock.is_stalled(0.0, BEHIND, seen)
    clock.is_stalled(1.0, BEHIND, seen)
    seen.reached[TP] = 6
    assert not clock.is_stalled(STALL_S + 1.0, BEHIND, seen)
    assert not clock.is_stalled(STALL_S + 2.0, BEHIND, seen)


def test_a_worker_that_has_read_all_may_idle_for_ever() -> None:
    assert not any(looks(StallClock(), state(reached=10)))


def test_a_broker_that_does_not_answer_is_not_the_workers_fault() -> None:
    assert not any(looks(StallClock(), state(), ends=None))


def test_a_database_that_is_away_is_waited_for() -> None:
    seen = state()
    seen.trouble["lane 0"] = "connection refused"
    assert not any(looks(StallClock(), seen))


def test_a_refused_partition_is_no_stall() -> None:
    seen = state()
    seen.refused[TP] = "the topic was recreated"
    assert not any(looks(StallClock(), seen))


def test_a_rebalance_that_never_ends_is_a_stall() -> None:
    seen = state(reached=10)
    seen.rebalancing_since = 0.0
    clock = StallClock()
    assert not clock.is_stalled(2 * STALL_S - 0.1, BEHIND, seen)
    assert clock.is_stalled(2 * STALL_S, BEHIND, seen)
