"""What a user may choose of the demo."""

from dataclasses import dataclass

MONTH_DEFAULT = 11
"""November: an ordinary number of baskets and the most redemptions of the year."""


@dataclass(frozen=True)
class DemoOptions:
    """The choices of `hub demo`.

    speed: events a second at most; None is as fast as the hub takes them. months: first and last
    of the data set's year; `year` means all twelve.
    """

    exit_after: bool = False
    chaos: bool = False
    year: bool = False
    months: tuple[int, int] = (MONTH_DEFAULT, MONTH_DEFAULT)
    speed: float | None = None
    seed: int = 1
