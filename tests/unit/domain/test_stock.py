"""Changes and counts of one item at one place: the newest count plus what came after it."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from hub.domain import stock
from hub.domain.stock import Change, Count, Position
from tests.event_maker import at

Told = tuple[str, int, int]
"""("change" or "count", minute, thousandths)"""


def play(told: list[Told]) -> tuple[Position, list[Change]]:
    """Apply what was told one after the other, as the store does; position and movements."""
    position, movements = Position("cake", "xuhui"), []
    for number, (what, minute, milli) in told_with_keys(told):
        key = number.to_bytes(16)
        if what == "change":
            wanted = Change("cake", "xuhui", "adjusted", milli, 0, at(minute), key, key)
            movements += stock.change(position, wanted)
            continue
        since = sum(
            m.on_hand_milli
            for m in movements
            if m.occurred_at > at(minute) and m.kind not in stock.ADJUSTING
        )
        counted = Count("cake", "xuhui", milli, at(minute), key)
        movement = stock.count(position, counted, since)
        if movement is not None:
            movements.append(movement)
    return position, movements


def told_with_keys(told: list[Told]) -> list[tuple[int, Told]]:
    """What was told keeps its identity in whatever order it comes."""
    return [(identity(one), one) for one in told]


def identity(one: Told) -> int:
    return int.from_bytes(repr(one).encode()[-15:])


def test_a_change_before_the_count_is_contained_in_it() -> None:
    position, _ = play([("count", 10, 5000), ("change", 3, -2000)])
    assert position.on_hand_milli == 5000


def test_a_change_after_the_count_is_added_to_it() -> None:
    position, _ = play([("count", 10, 5000), ("change", 11, -2000)])
    assert position.on_hand_milli == 3000


def test_a_change_in_the_minute_of_the_count_is_contained_in_it() -> None:
    position, _ = play([("count", 10, 5000), ("change", 10, -2000)])
    assert position.on_hand_milli == 5000


def test_a_count_that_comes_late_keeps_what_happened_after_it() -> None:
    position, _ = play([("change", 3, -1000), ("change", 12, -2000), ("count", 10, 5000)])
    assert position.on_hand_milli == 3000


def test_an_older_count_that_comes_late_changes_nothing() -> None:
    position, movements = play([("count", 10, 5000), ("count", 4, 9000)])
    assert position.on_hand_milli == 5000
    assert len(movements) == 1


def test_a_count_and_late_changes_end_equal_in_every_order() -> None:
    told: list[Told] = [
        ("change", 1, 7000),
        ("count", 5, 4000),
        ("change", 6, -1500),
        ("count", 9, 3000),
        ("change", 9, -250),
        ("change", 12, -500),
    ]
    for arrived in permutations(told):
        position, _ = play(list(arrived))
        assert position.on_hand_milli == 2500


def test_half_a_kilogram_can_be_sold() -> None:
    position, _ = play([("count", 1, 2000), ("change", 2, -500)])
    assert position.available_milli == 1500


def test_what_is_committed_is_not_available() -> None:
    position, _ = play([("count", 1, 2000)])
    held = Change("cake", "xuhui", "committed", 0, 2500, at(0), b"k" * 16, b"m" * 16)
    stock.change(position, held)
    assert position.available_milli == -500
    assert position.is_oversold


def test_a_place_nobody_counted_is_never_called_oversold() -> None:
    position, _ = play([("change", 1, -3000)])
    assert position.available_milli == -3000
    assert not position.is_oversold


TOLD = st.lists(
    st.tuples(st.sampled_from(["change", "count"]), st.integers(0, 8), st.integers(-9, 9)).map(
        lambda one: (one[0], one[1], (abs(one[2]) if one[0] == "count" else one[2]) * 1000)
    ),
    max_size=9,
    unique=True,
)


@given(told=TOLD)
def test_a_position_is_its_newest_count_and_the_changes_after_it(told: list[Told]) -> None:
    position, movements = play(told)
    counts = [(one[1], identity(one), one[2]) for one in told if one[0] == "count"]
    minute, _, counted = max(counts) if counts else (-1, 0, 0)
    later = [milli for what, when, milli in told if what == "change" and when > minute]
    assert position.on_hand_milli == counted + sum(later)
    assert position.on_hand_milli == sum(movement.on_hand_milli for movement in movements)
    assert position.counted_at == (at(minute) if counts else None)


@given(told=TOLD, shuffle=st.randoms(use_true_random=False))
def test_any_changes_and_counts_end_equal_in_any_order(told: list[Told], shuffle: object) -> None:
    wanted, _ = play(told)
    shuffle.shuffle(told)  # type: ignore[attr-defined]
    found, _ = play(told)
    assert (found.on_hand_milli, found.counted_at, found.counted_by) == (
        wanted.on_hand_milli,
        wanted.counted_at,
        wanted.counted_by,
    )
