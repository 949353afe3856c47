"""Profiles as their events say, and the members they make up."""

from itertools import permutations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.domain import members
from hub.domain.envelope import Event
from tests.event_maker import Shop, at

PHONE = {"type": "phone", "value": "139 1234 5678"}
HELD = ("phone", "+8613912345678")


def event(kind: str, minute: float, /, **data: Any) -> Event:
    data.setdefault("event_id", f"{kind}-{minute}")
    return Shop().event(f"member.{kind}", minute, account="a", **data)


def test_later_values_replace_earlier_ones_attribute_by_attribute() -> None:
    state = members.fold(
        [
            event("updated", 5, name="李雷", attributes={"level": "2"}),
            event("registered", 1, name="王小明", attributes={"level": "1", "store": "xuhui"}),
        ]
    ).state
    assert state.personal == {"name": "李雷"}
    assert state.attributes == {"level": "2", "store": "xuhui"}
    assert (state.registered_at, state.first_seen_at) == (at(1), at(1))


def test_a_number_that_was_typed_and_proved_later_counts_from_its_proof() -> None:
    state = members.fold(
        [
            event("registered", 1, identifiers=[PHONE]),
            event("identified", 9, identifiers=[PHONE | {"proof": "verified"}]),
            event("updated", 12, identifiers=[PHONE]),
        ]
    ).state
    assert state.held[HELD].claim.proof == "verified"
    assert state.held[HELD].valid_from == at(9)


def test_a_masked_number_is_never_held() -> None:
    masked = [{"type": "phone", "value": "139****5678", "proof": "verified"}]
    assert members.fold([event("registered", 1, identifiers=masked)]).state.held == {}


def test_two_spellings_of_a_number_in_one_event_are_held_once() -> None:
    spellings = [PHONE, {"type": "phone", "value": "+8613912345678"}]
    assert list(members.fold([event("registered", 1, identifiers=spellings)]).state.held) == [HELD]


def test_every_permutation_of_a_profiles_events_ends_equal() -> None:
    told = [
        event("registered", 1, name="王小明", identifiers=[PHONE]),
        event("identified", 2, identifiers=[PHONE | {"proof": "verified"}]),
        event("updated", 2, name="李雷"),
        event("updated", 3, attributes={"level": "1"}),
    ]
    wanted = members.fold(list(told))
    assert all(members.fold(list(arrived)) == wanted for arrived in permutations(told))


def key(number: int) -> bytes:
    return number.to_bytes(16)


def test_a_chain_of_merges_has_one_survivor_and_no_cycle() -> None:
    chain = [(key(3), key(2)), (key(2), key(1)), (key(1), key(3))]
    for order in permutations(chain):
        assert members.components(order) == {key(n): key(1) for n in (1, 2, 3)}


def test_who_shares_nothing_stays_apart() -> None:
    found = members.components([(key(1), key(2)), (key(8), key(9))])
    assert found == {key(1): key(1), key(2): key(1), key(8): key(8), key(9): key(8)}


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20))
def test_a_component_is_all_that_can_be_reached(edges: list[tuple[int, int]]) -> None:
    found = members.components([(key(a), key(b)) for a, b in edges])
    for start in {node for edge in edges for node in edge}:
        reached, grown = {start}, True
        while grown:
            more = {n for edge in edges if reached & set(edge) for n in edge} - reached
            reached, grown = reached | more, bool(more)
        assert found[key(start)] == key(min(reached))
