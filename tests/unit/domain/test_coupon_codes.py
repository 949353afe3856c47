"""One spelling of a code, and the hub's own form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import coupon_codes
from hub.domain.coupon_codes import ALPHABET, RANDOM_BITS, is_own, make_code, normalise_code

NUMBERS = st.integers(0, 2**RANDOM_BITS - 1)
MISREAD = {"0": "Oo0", "1": "IiLl1"}


@pytest.mark.parametrize(
    "spelling", ["CAKE-1", "cake-1", " Cake-1 ", "ＣＡＫＥ－１", "ca\u3000ke-１"]
)
def test_letter_case_spaces_and_full_width_are_one_code(spelling: str) -> None:
    assert normalise_code(spelling) == "CAKE-1"


@given(NUMBERS, st.randoms())
def test_look_alikes_letter_case_spaces_and_full_width_are_one_code(number: int, chance) -> None:
    code = make_code(number)
    typed = "".join(chance.choice(MISREAD.get(sign, sign + sign.lower())) for sign in code)
    typed = " - ".join(typed[i : i + 4] for i in range(0, len(typed), 4))
    wide = "".join(chr(ord(s) + 0xFEE0) if "!" <= s <= "~" else "\u3000" for s in typed)
    assert normalise_code(typed) == normalise_code(wide) == code
    assert normalise_code(coupon_codes.shown(code)) == code


@given(st.text(alphabet="ABCO0I1L5-", min_size=1, max_size=20), st.text(max_size=5))
def test_look_alikes_in_codes_of_platforms_stay_apart(code: str, more: str) -> None:
    """A platform may well give out both SALE0 and SALEO."""
    assert normalise_code(code) == code
    assert normalise_code(code + "0" + more) != normalise_code(code + "O" + more)


def test_a_code_that_only_begins_like_the_hubs_keeps_every_sign() -> None:
    own = make_code(7)
    wrong = own[:-1] + ALPHABET[(ALPHABET.index(own[-1]) + 1) % 32]
    for code in ("HC", "HCO", "HC-SALE-O", wrong.replace("0", "O"), own + "O"):
        assert normalise_code(code) == code


@given(NUMBERS, st.data())
def test_one_wrong_sign_is_no_code_of_the_hub(number: int, data: st.DataObject) -> None:
    code = make_code(number)
    place = data.draw(st.integers(0, len(code) - 1))
    sign = data.draw(st.sampled_from([s for s in ALPHABET if s != code[place]]))
    assert is_own(code)
    assert not is_own(code[:place] + sign + code[place + 1 :])


@given(NUMBERS, st.data())
def test_two_neighbours_swapped_are_no_code_of_the_hub(number: int, data: st.DataObject) -> None:
    code = make_code(number)
    place = data.draw(st.integers(0, len(code) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert swapped == code or not is_own(swapped)


@pytest.mark.parametrize("number", [-1, 2**RANDOM_BITS])
def test_a_number_that_a_code_cannot_hold_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="60 bits"):
        make_code(number)


@given(st.lists(NUMBERS, min_size=2, max_size=20, unique=True))
def test_no_two_numbers_have_one_code(numbers: list[int]) -> None:
    assert len({make_code(number) for number in numbers}) == len(numbers)
