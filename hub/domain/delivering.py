"""What a subscription wants, and what follows from a receiver's answer. No I/O, no clock.

The retry schedule is that of Standard Webhooks.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

STOCK_CHANGED = "stock.changed"
"""Told by the hub of each position that changed, whatever changed it: the newest only."""
WAITS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
"""Between attempts of one delivery: 75 h 35 min in all."""
GIVES_UP_AFTER = sum(WAITS, timedelta())
AWAY_AFTER = 3
"""Failures in a row that say that a receiver is away, and not just that it stumbled."""
AWAY_WAIT_MIN = timedelta(seconds=1)
AWAY_WAIT_MAX = timedelta(seconds=60)
"""Between two looks at a receiver that is away; all of its deliveries wait meanwhile."""
RETRY_AFTER_MAX = timedelta(hours=1)
JITTER = 0.2
Verdict = Literal["delivered", "again", "away", "failed", "gone"]


@dataclass(frozen=True)
class Wanted:
    """Whose facts a subscription is told: `channel` None is the house, which is told all.

    A channel is told what the hub decided about its own objects, what it told the hub itself only
    if it asks for that (`has_own_events`), and of stock, which belongs to no channel.
    """

    channel: str | None
    types: frozenset[str]
    has_own_events: bool

    def takes(self, type_: str, channel: str | None, *, is_decided: bool) -> bool:
        """Whether a fact of this type and channel is told."""
        if not self.names(type_):
            return False
        if self.channel is None:
            return True
        return channel == self.channel and (is_decided or self.has_own_events)

    def names(self, type_: str) -> bool:
        """Whether the type is among those asked for: itself, `order.*`, or `*`."""
        noun = type_.partition(".")[0]
        return not self.types.isdisjoint((type_, f"{noun}.*", "*"))


@dataclass(frozen=True)
class Answer:
    """What a receiver said: its HTTP status, or why there was none. retry_after: if it asked.
    is_ours: nothing was sent, and that is not the receiver's doing."""

    status: int | None
    error: str | None = None
    retry_after: timedelta | None = None
    is_ours: bool = False


def verdict(
    answer: Answer, attempt: int, waited: timedelta, tries_max: int | None = None
) -> Verdict:
    """What an attempt came to. attempt: which it was, from 1; waited: since it was first due;
    tries_max: how often at most what the receiver refuses is tried, if the rule says so."""
    status = answer.status
    if status is not None and 200 <= status < 300:
        return "delivered"
    if status == 410:
        return "gone"
    is_away = not answer.is_ours and (status is None or status == 429 or status >= 500)
    tries_max = len(WAITS) + 1 if tries_max is None else tries_max
    if waited >= GIVES_UP_AFTER or (not is_away and attempt >= tries_max):
        return "failed"
    return "away" if is_away else "again"


def next_wait(attempt: int, chance: float) -> timedelta:
    """Until a delivery that this receiver alone refused is tried again; chance: 0 to 1."""
    return WAITS[min(attempt, len(WAITS)) - 1] * (1 + JITTER * chance)


def is_away(failures: int) -> bool:
    """Whether so many failures in a row say that the receiver is away."""
    return failures >= AWAY_AFTER


def rest(failures: int, chance: float, retry_after: timedelta | None) -> timedelta | None:
    """For how long nothing is sent to a receiver; None if it is not away. Who asks for a pause
    gets it at once."""
    if not failures or (retry_after is None and not is_away(failures)):
        return None
    return away_wait(max(failures - AWAY_AFTER + 1, 1), chance, retry_after)


def away_wait(failures: int, chance: float, retry_after: timedelta | None) -> timedelta:
    """Until what failed so often in a row is tried again."""
    wait = min(AWAY_WAIT_MIN * 2 ** min(failures - 1, 10), AWAY_WAIT_MAX) * (1 + JITTER * chance)
    return max(wait, min(retry_after or timedelta(), RETRY_AFTER_MAX))
