"""Traces after W3C Trace Context: one id from the request that brought an event to what it caused.

Pure, but for the trace that a task is in, which the door sets and whoever is behind it may read.
"""

import re
from contextvars import ContextVar

_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?"
)
_LENGTH_MAX = 128
TRACE_BYTES = 16
SPAN_BYTES = 8
current: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The `traceparent` of what is being done now."""


def trace_id(traceparent: str | None) -> str | None:
    """The id of the trace; None if that is no `traceparent`."""
    found = _match(traceparent)
    return found[1] if found else None


def entered(traceparent: str | None, random: bytes) -> str:
    """The `traceparent` of our own part of a trace: of the one given, or of a new one.

    random: TRACE_BYTES and SPAN_BYTES of it.
    """
    found = _match(traceparent)
    trace = found[1] if found else random[:TRACE_BYTES].hex()
    flags = found[2] if found else "01"
    return f"00-{trace}-{random[TRACE_BYTES : TRACE_BYTES + SPAN_BYTES].hex()}-{flags}"


def _match(traceparent: str | None) -> re.Match[str] | None:
    if not traceparent or len(traceparent) > _LENGTH_MAX:
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    # Version 00 has nothing behind its flags.
    return None if found and found[3] and traceparent.startswith("00") else found
