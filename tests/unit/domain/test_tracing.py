"""A trace goes on from whoever began it, and what is no trace begins a new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import tracing

TRACE = "0af7651916cd43dd8448eb211c80319c"
RANDOM = bytes(range(1, 25))


def test_our_part_of_a_trace_has_its_id_and_flags_and_a_span_of_our_own() -> None:
    entered = tracing.entered(f"00-{TRACE}-b7ad6b7169203331-00", RANDOM)
    assert entered == f"00-{TRACE}-{RANDOM[16:].hex()}-00"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        TRACE,
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{TRACE.upper()}-b7ad6b7169203331-01",
        f"00-{TRACE}-b7ad6b7169203331-01-more",
        f"01-{TRACE}-b7ad6b7169203331-01-" + "x" * 200,
        f"00-{TRACE}-b7ad6b7169203331-01\r\nX-Evil: 1",
    ],
)
def test_what_is_no_trace_begins_a_new_one(given: str | None) -> None:
    assert tracing.trace_id(given) is None
    assert tracing.trace_id(tracing.entered(given, RANDOM)) == RANDOM[:16].hex()


def test_a_later_version_may_say_more() -> None:
    assert tracing.trace_id(f"01-{TRACE}-b7ad6b7169203331-01-more") == TRACE


@given(st.text(max_size=80), st.binary(min_size=24, max_size=24))
def test_whatever_is_sent_our_part_is_a_trace(given: str, random: bytes) -> None:
    if any(random[:16]) and any(random[16:]):
        assert tracing.trace_id(tracing.entered(given, random)) is not None
