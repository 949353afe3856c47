"""The words of every problem, in every language."""

import re
import string
from pathlib import Path

import pytest

import hub_api
from hub_api import words
from hub_api.amounts import amount, quantity
from hub_api.problems import Problem


@pytest.mark.parametrize("code", words.KINDS)
def test_each_problem_has_words_in_both_languages_with_the_same_values(code: str) -> None:
    kind = words.KINDS[code]
    english, chinese = kind.en, kind.zh
    assert english.title
    assert english.detail
    assert re.search(r"[\u4e00-\u9fff]", chinese.title + chinese.detail)
    assert _names(english.detail) == _names(chinese.detail)
    assert 400 <= kind.status < 600


def test_each_problem_the_code_raises_has_words_and_each_of_them_is_raised() -> None:
    source = "".join(path.read_text() for path in Path(hub_api.__file__).parent.rglob("*.py"))
    raised = set(re.findall(r'Problem\(\s*"([a-z-]+)"', source))
    by_status = set(re.findall(r'\d{3}: "([a-z-]+)"', source))
    assert raised | by_status == set(words.KINDS)


def test_a_problem_without_words_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        Problem("no-such-problem")


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1230, "CNY", "12.30"),
        (-5, "CNY", "-0.05"),
        (1230, "JPY", "1230"),
        (1230, "KWD", "1.230"),
        (None, "CNY", None),
    ],
)
def test_amounts_leave_with_the_digits_of_their_currency(
    minor: int | None, currency: str, text: str | None
) -> None:
    assert amount(minor, currency) == text


@pytest.mark.parametrize(
    ("milli", "text"), [(1000, "1"), (1500, "1.5"), (-1, "-0.001"), (0, "0"), (10_000, "10")]
)
def test_quantities_leave_without_needless_digits(milli: int, text: str) -> None:
    assert quantity(milli) == text


def _names(detail: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(detail) if name}
