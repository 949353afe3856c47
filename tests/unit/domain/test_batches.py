"""What is left of batches of fresh goods: what expires first goes first, never past its time."""

from itertools import permutations

from hub.domain.batches import Named, cuts, tell
from tests.event_maker import at

Moved = tuple[int, int]
"""(minute, thousandths) without a batch"""


def came(batch: str, minute: int, milli: int, until: int | None = None) -> Named:
    best_before = at(until) if until is not None else None
    key = f"{batch}{minute}{milli}".encode().rjust(16)
    return Named(batch, best_before, milli, at(minute), key)


def left(named: list[Named], moved: list[Moved], on_hand: int | None = None) -> dict[str, int]:
    """What is left by batch, whatever was heard first."""
    total = sum(one.on_hand_milli for one in named) + sum(milli for _, milli in moved)
    found = []
    for told in permutations(named):
        spans: dict[int, tuple[int, int]] = {}
        for minute, milli in moved:
            span = sum(1 for cut in cuts(told) if cut <= at(minute))
            in_milli, out_milli = spans.get(span, (0, 0))
            spans[span] = (in_milli + max(milli, 0), out_milli + max(-milli, 0))
        batches = tell(told, spans, total if on_hand is None else on_hand)
        found.append({one.batch: one.left_milli for one in batches})
    assert all(one == found[0] for one in found)
    return found[0]


def test_what_expires_first_is_given_out_first() -> None:
    named = [came("tuesday", 0, 5, 200), came("monday", 10, 3, 100)]
    assert left(named, [(20, -4)]) == {"monday": 0, "tuesday": 4}


def test_what_is_past_its_best_before_is_not_what_was_sold() -> None:
    named = [came("monday", 0, 3, 100), came("tuesday", 0, 5, 200)]
    assert left(named, [(100, -2)]) == {"monday": 3, "tuesday": 3}
    assert left(named, [(99, -2)]) == {"monday": 1, "tuesday": 5}


def test_a_batch_that_is_written_off_leaves_the_others_alone() -> None:
    named = [came("monday", 0, 3, 100), came("tuesday", 0, 5, 200), came("monday", 120, -3)]
    assert left(named, [(110, -1)]) == {"monday": 0, "tuesday": 4}


def test_goods_of_no_batch_go_after_those_that_expire() -> None:
    assert left([came("monday", 10, 3, 100)], [(0, 4), (20, -2)]) == {"monday": 1}
    assert left([came("monday", 10, 3, 100)], [(0, 4), (150, -2)]) == {"monday": 3}


def test_what_a_count_misses_is_taken_of_what_expires_first() -> None:
    named = [came("monday", 0, 3, 100), came("tuesday", 0, 5, 200)]
    assert left(named, [], on_hand=6) == {"monday": 1, "tuesday": 5}
    assert left(named, [], on_hand=10) == {"monday": 3, "tuesday": 5}
    assert left(named, [], on_hand=-2) == {"monday": 0, "tuesday": 0}


def test_more_written_off_than_a_batch_had_is_taken_of_the_others() -> None:
    named = [came("monday", 0, 3, 100), came("monday", 5, -4), came("tuesday", 0, 5, 200)]
    assert left(named, []) == {"monday": 0, "tuesday": 4}
