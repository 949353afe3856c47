"""What is kept of an allotment: what is left of its target, and the buffer while any is left."""

import pytest

from hub.domain.allotments import held_milli


@pytest.mark.parametrize(
    ("target", "buffer", "drawn", "held"),
    [
        (5, 2, 0, 7),
        (5, 2, 4, 3),
        (5, 2, 5, 0),
        (5, 2, 6, 0),
        (5, 0, 1, 4),
        (0, 2, 0, 0),
    ],
)
def test_the_buffer_is_kept_on_top_of_what_is_left_and_ends_with_it(
    target: int, buffer: int, drawn: int, held: int
) -> None:
    assert held_milli(target, buffer, drawn) == held


def test_what_came_back_beyond_what_was_drawn_keeps_no_more_than_the_target() -> None:
    assert held_milli(5, 2, -3) == 7
