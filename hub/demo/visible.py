"""How long from produced to visible: seen from outside, by a reader that looks all the time.

An event is visible when another connection can read what its transaction wrote. The probe notes
when it first sees each write; which events were in it is asked afterwards.
"""

import threading
import time
from datetime import datetime
from typing import Self

from hub.demo import progress
from hub.settings import Settings

LOOK_EVERY_S = 0.002
RECENT = "3 seconds"
"""A write older than this has been seen by an earlier look."""


class VisibleProbe:
    """Looks for new writes as long as the block lasts; then `latencies_ms`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._first_seen_s: dict[int, float] = {}
        self._is_done = threading.Event()
        self._thread = threading.Thread(target=self._look, name="visible", daemon=True)
        self._since: datetime | None = None

    def __enter__(self) -> Self:
        self._since = progress.now(self._settings)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_done.set()
        self._thread.join(timeout=10)

    def _look(self) -> None:
        query = (
            "select xmin::text::bigint from log.writes"
            f" where written_at > clock_timestamp() - interval '{RECENT}'"
        )
        with progress.connect(self._settings) as connection:
            while not self._is_done.is_set():
                found = connection.execute(query.encode()).fetchall()
                seen_s = time.time()
                for (xid,) in found:
                    self._first_seen_s.setdefault(xid, seen_s)
                time.sleep(LOOK_EVERY_S)

    def latencies_ms(self) -> list[float]:
        """Each event received in the block: milliseconds from Kafka's timestamp to first seen.

        By its row in the log, which is never written again: its inbox row is, when what it waited
        for has come.
        """
        query = """
            select xmin::text::bigint, extract(epoch from produced_at)
            from log.events
            where received_at >= %s
        """
        with progress.connect(self._settings) as connection:
            rows = connection.execute(query, [self._since]).fetchall()
        seen = self._first_seen_s
        return sorted(
            1000 * (seen[xid] - float(produced_s)) for xid, produced_s in rows if xid in seen
        )


def percentile(sorted_values: list[float], share: float) -> float:
    """The value below which this share of the values lies (nearest rank); 0.0 of none."""
    if not sorted_values:
        return 0.0
    rank = min(int(share * len(sorted_values)), len(sorted_values) - 1)
    return round(sorted_values[rank], 2)
