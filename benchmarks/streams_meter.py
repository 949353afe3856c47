"""The clock every peer carries: from the first event at hand to the last one in Postgres.

It runs in the peer's own process and prints one line of JSON when all events are stored.
"""

import json
import os
import signal
import sys
import time
from typing import Any

import psutil

MIB = 1024 * 1024
# Memory is looked at when so many parts of the events are through; the first is warming up.
MEMORY_LOOKS = 10


class Meter:
    """Starts by itself at the first event, ends its process after the last."""

    def __init__(self, events: int) -> None:
        """`events`: how many there are to come."""
        self._events = events
        self._stored = 0
        self._began: float | None = None
        self._cpu_s = 0.0
        self._rss: list[float] = []
        self._process = psutil.Process()

    def begin(self) -> None:
        """The first events are here; later calls change nothing."""
        if self._began is None:
            self._began = time.perf_counter()
            self._cpu_s = time.process_time()

    def stored(self, count: int) -> bool:
        """So many more are in Postgres; True when that was all (and the figures are printed)."""
        self._stored += count
        if self._stored >= self._events * (len(self._rss) + 1) / MEMORY_LOOKS:
            self._rss.append(self._process.memory_info().rss / MIB)
        if self._stored < self._events:
            return False
        line = json.dumps(self.figures())
        print(f"\n{line}", flush=True)  # noqa: T201 - what the process is for
        return True

    def figures(self) -> dict[str, Any]:
        """Rate, CPU and memory."""
        wall_s = time.perf_counter() - (self._began or 0.0)
        cpu_s = time.process_time() - self._cpu_s
        return {
            "events_per_s": self._stored / wall_s,
            "cpu_s_per_100k": cpu_s / self._stored * 100_000,
            "rss_mb_max": max(self._rss),
            "rss_mb_growth": self._rss[-1] - self._rss[min(1, len(self._rss) - 1)],
        }


def end_this_process() -> None:
    """Ask our own worker to stop."""
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGTERM)
