"""Strict JSON: what has one meaning is read, the rest is refused, and nothing else happens."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_api import strict_json
from hub_api.limits import JSON_DEPTH_MAX
from hub_api.strict_json import BadJsonError

_numbers = st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
_values = st.recursive(
    st.none() | st.booleans() | _numbers | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> tuple[object, str]:
    """The value of the text and "", or None and the reason."""
    try:
        return strict_json.parse(text), ""
    except BadJsonError as error:
        return None, error.fault.reason


@given(_values)
def test_ordinary_json_is_read_as_everybody_reads_it(value: object) -> None:
    found, reason = read(json.dumps(value))
    assert found == value or "nested" in reason


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_with_a_reason(body: bytes) -> None:
    found, reason = read(body.decode(errors="surrogateescape"))
    assert reason or found == json.loads(body)


def test_nesting_is_taken_to_its_limit_and_not_one_deeper() -> None:
    at_limit = "[" * JSON_DEPTH_MAX + "1" + "]" * JSON_DEPTH_MAX
    assert strict_json.parse(at_limit)
    with pytest.raises(BadJsonError, match="nested"):
        strict_json.parse(f"[{at_limit}]")


def test_whole_numbers_are_taken_to_64_bits_and_not_one_more() -> None:
    assert strict_json.parse(str(2**63 - 1)) == 2**63 - 1
    with pytest.raises(BadJsonError, match="64 bits"):
        strict_json.parse(str(2**63))


def test_a_duplicate_key_is_found_however_it_is_spelled() -> None:
    with pytest.raises(BadJsonError, match="stands twice"):
        strict_json.parse('{"id": 1, "\\u0069d": 2}')


def test_a_pair_of_surrogates_is_one_character_and_half_of_one_is_none() -> None:
    assert strict_json.parse('"\\ud83c\\udf70"') == "🍰"
    with pytest.raises(BadJsonError) as caught:
        strict_json.parse('{"a": ["x", "\\udf70"]}')
    assert caught.value.fault.field == "$.a[1]"
