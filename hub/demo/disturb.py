"""What a real network does to a stream, seeded: some events twice, some late, some swapped.

Nothing is lost or altered here; what is told twice is the same to the byte.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from hub.demo.envelope import Record


@dataclass(frozen=True)
class Disturbance:
    """Shares of all events (0-1), and how many events later the late ones come at most."""

    seed: int = 7
    twice: float = 0.02
    late: float = 0.02
    swapped: float = 0.02
    late_by_max: int = 5_000


CALM = Disturbance(twice=0, late=0, swapped=0)


class Disturbed:
    """Iterates over `records` disturbed; counts what it did. Holds no more than it delays."""

    def __init__(self, records: Iterator[Record], how: Disturbance) -> None:
        self._records = records
        self._how = how
        self.twice = self.late = self.swapped = 0

    def __iter__(self) -> Iterator[Record]:
        """Each record at its place, or later; ties in the order they came."""
        how, chance = self._how, random.Random(self._how.seed)
        waiting: list[tuple[float, int, Record]] = []
        serial = 0
        for place, record in enumerate(self._records):
            drawn = chance.random()
            due = float(place)
            if drawn < how.late:
                self.late += 1
                due += chance.randint(2, how.late_by_max)
            elif drawn < how.late + how.swapped:
                self.swapped += 1
                due += 1.5
            heapq.heappush(waiting, (due, serial, record))
            serial += 1
            if chance.random() < how.twice:
                self.twice += 1
                again = due + chance.randint(1, how.late_by_max)
                heapq.heappush(waiting, (again, serial, record))
                serial += 1
            while waiting and waiting[0][0] <= place:
                yield heapq.heappop(waiting)[2]
        while waiting:
            yield heapq.heappop(waiting)[2]
