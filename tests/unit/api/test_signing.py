"""Cursors and receipts: only what the hub signed, for the use it signed it for, is taken back."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hub.settings import Settings
from hub_api.limits import CURSOR_LENGTH_MAX
from hub_api.signing import Signer

KIND = tuple[datetime, bytes]
VALUE = (datetime(2025, 3, 1, 1, 2, 3, 456789, tzinfo=UTC), bytes(range(16)))
SIGNER = Signer(Settings(secret_key="s"))  # type: ignore[arg-type]
SEALED = SIGNER.seal("cursor a", VALUE)


def test_what_was_signed_comes_back_as_it_was() -> None:
    assert SIGNER.open("cursor a", SEALED, KIND) == VALUE


def test_it_is_refused_for_another_purpose_kind_or_hub() -> None:
    assert SIGNER.open("cursor b", SEALED, KIND) is None
    assert SIGNER.open("cursor a", SEALED, tuple[str]) is None
    other = Signer(Settings(secret_key="t"))  # type: ignore[arg-type]
    assert other.open("cursor a", SEALED, KIND) is None


@given(st.integers(0, len(SEALED) - 2), st.sampled_from("ABCz09-_"))
def test_with_any_sign_changed_it_is_refused(place: int, sign: str) -> None:
    changed = SEALED[:place] + sign + SEALED[place + 1 :]
    if changed != SEALED:
        assert SIGNER.open("cursor a", changed, KIND) is None


@given(st.text(max_size=60))
def test_any_text_is_refused_without_failing(text: str) -> None:
    assert SIGNER.open("cursor a", text, KIND) is None


def test_a_text_above_the_limit_is_not_looked_at() -> None:
    assert SIGNER.open("cursor a", "A" * (CURSOR_LENGTH_MAX + 1), KIND) is None
