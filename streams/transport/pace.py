"""How long to hold the next fetch back: the linger that adapts to the rate.

Kafka answers a fetch as soon as there is one record. At low rates that makes a transaction of
each, so the next fetch is held back until `linger` after the last one was let go: records
gather at the broker, and what gathered comes at once. When fetches bring much, or writing takes
longer than the linger, nothing is held back. Not here: the holding (`streams.transport.thread`).
"""

# A fetch that brings this many records is worth a transaction of its own.
FULL_ENOUGH_RECORDS = 200


class Pace:
    """Decides after each fetch; keeps the time at which the last one was let go."""

    def __init__(self, linger_s: float, full_records: int = FULL_ENOUGH_RECORDS) -> None:
        """A linger of 0 never holds back."""
        self._linger_s = linger_s
        self._full_records = full_records
        self._let_go_at = float("-inf")

    def hold_s(self, now: float, records: int) -> float:
        """Seconds to hold the next fetch back after one that brought `records`."""
        rest = self._let_go_at + self._linger_s - now
        if records >= self._full_records or rest <= 0:
            self._let_go_at = now
            return 0.0
        self._let_go_at = now + rest
        return rest
