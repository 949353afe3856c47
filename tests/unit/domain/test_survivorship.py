"""Which value of an attribute counts."""

from itertools import permutations

from hub.domain.survivorship import Said, survivors
from tests.event_maker import at


def said(name: str, value: str, channel: str, minute: float) -> Said:
    return Said(name, value, channel, channel.encode().ljust(16), at(minute))


def test_who_said_it_last_counts_attribute_by_attribute_in_any_order() -> None:
    told = [said("store", "a", "web", 1), said("store", "b", "mini", 5), said("age", "7", "web", 1)]
    for arrived in permutations(told):
        assert [one.value for one in survivors(arrived, ())] == ["7", "b"]


def test_a_channel_whose_word_counts_more_stands_against_a_later_one() -> None:
    told = [said("store", "a", "crm", 1), said("store", "b", "mini", 5), said("store", "c", "x", 9)]
    for arrived in permutations(told):
        assert [one.value for one in survivors(arrived, ("crm", "mini"))] == ["a"]


def test_of_two_said_at_once_the_same_counts_always() -> None:
    told = [said("store", "a", "web", 1), said("store", "b", "mini", 1)]
    assert survivors(told, ()) == survivors(told[::-1], ())
