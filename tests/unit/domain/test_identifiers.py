"""One spelling of each identifier; values that identify nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.identifiers import normalise

ONE_NUMBER = "+8613912345678"


@pytest.mark.parametrize(
    "typed",
    [
        "13912345678",
        "+8613912345678",
        "8613912345678",
        "008613912345678",
        "+86 139 1234 5678",
        "139-1234-5678",
        "(139) 1234 5678",
        "１３９１２３４５６７８",
        "＋８６ １３９ １２３４ ５６７８",
        "\u3000139\u00a01234\u20095678 ",
    ],
)
def test_every_way_to_write_a_phone_number_is_one_number(typed: str) -> None:
    assert normalise("phone", typed) == ONE_NUMBER


@pytest.mark.parametrize(
    ("typed", "written"),
    [("+1 650-253-0000", "+16502530000"), ("00852 2123 4567", "+85221234567")],
)
def test_a_foreign_number_keeps_its_country(typed: str, written: str) -> None:
    assert normalise("phone", typed) == written


@pytest.mark.parametrize(
    "value",
    [
        "00000000000",
        "11111111111",
        "13800138000",
        "+86 138 0013 8000",
        "null",
        "NULL",
        "none",
        "undefined",
        "n/a",
        "-",
        "",
        " ",
        "\u3000",
        "TABLET-07",
        "store-12-till-3",
        "139****5678",
        "139xxxx5678",
        "12",
        "abc",
        "+",
        "999999999999999999999",
    ],
)
def test_a_value_that_identifies_nobody_is_no_phone(value: str) -> None:
    assert normalise("phone", value) is None


@pytest.mark.parametrize("kind", ["email", "openid", "unionid", "crm_id", "card"])
@pytest.mark.parametrize("value", ["null", "ｎｕｌｌ", "00000000", "", "unknown"])
def test_fillers_identify_nobody_in_any_field(kind: str, value: str) -> None:
    assert normalise(kind, value) is None


@pytest.mark.parametrize("typed", [" Wang@Example.COM ", "ｗａｎｇ＠ｅｘａｍｐｌｅ．ｃｏｍ"])
def test_an_email_is_one_in_any_letter_case_and_width(typed: str) -> None:
    assert normalise("email", typed) == "wang@example.com"


@pytest.mark.parametrize("value", ["wang", "wang@", "@example.com", "wang@example", "a b@c.de"])
def test_what_is_no_email_is_left_out(value: str) -> None:
    assert normalise("email", value) is None


def test_an_openid_belongs_to_its_app() -> None:
    assert normalise("openid", "o-123", "mini") != normalise("openid", "o-123", "web")


@given(st.text(max_size=40))
def test_a_normalised_phone_is_its_own_spelling(value: str) -> None:
    once = normalise("phone", value)
    assert once is None or normalise("phone", once) == once


@given(st.text(max_size=40), st.sampled_from(["phone", "email", "openid", "card"]))
def test_any_text_is_normalised_or_left_out(value: str, kind: str) -> None:
    normalise(kind, value)
