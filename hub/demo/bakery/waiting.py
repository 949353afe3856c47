"""Looking until something is so, or time is over."""

import time
from collections.abc import Callable

POLL_S = 0.02


def wait(is_so: Callable[[], bool], timeout_s: float, poll_s: float = POLL_S) -> bool:
    """Whether it becomes so in time."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(poll_s)
    return True
