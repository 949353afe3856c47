"""Profiles as their events say, and what was ruled about two of them."""

from itertools import permutations
from typing import Any

import pytest

from hub.domain import events, members
from hub.domain.envelope import APPLIED, BadEvent, Event
from tests.event_maker import NOW, Shop, at

PHONE = {"type": "phone", "value": "139 1234 5678"}
WEB_A = {"channel": "web", "account": "a"}
HELD = ("phone", "+8613912345678")


def event(kind: str, minute: float, /, **data: Any) -> Event:
    data.setdefault("event_id", f"{kind}-{minute}")
    return Shop().event(f"member.{kind}", minute, account="a", **data)


def decided(kind: str, minute: float, /, **data: Any) -> Event:
    return events.decode(Shop().decision(f"member.{kind}", minute, account="a", **data))


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


def test_an_erasure_forgets_what_was_before_it_and_nothing_after_it() -> None:
    told = [
        event("registered", 1, name="王小明", identifiers=[PHONE], attributes={"level": "1"}),
        event("consent_changed", 2, purpose="marketing", medium="sms", granted=True),
        decided("erased", 5),
        event("updated", 9, attributes={"level": "2"}),
    ]
    wanted = members.fold(list(told))
    assert (wanted.state.personal, wanted.state.held, wanted.state.consents) == ({}, {}, {})
    assert (wanted.state.attributes, wanted.state.registered_at) == ({"level": "2"}, None)
    assert [wanted.verdicts[e.key] for e in told] == [
        members.ERASED, members.ERASED, APPLIED, APPLIED,
    ]  # fmt: skip
    assert all(members.fold(list(arrived)) == wanted for arrived in permutations(told))


def test_the_last_word_on_a_consent_counts_by_purpose_and_medium() -> None:
    told = [
        event("consent_changed", 1, purpose="marketing", medium="sms", granted=True),
        event("consent_changed", 7, purpose="marketing", medium="sms", granted=False),
        event("consent_changed", 3, purpose="marketing", medium="email", granted=True),
    ]
    for arrived in permutations(told):
        consents = members.fold(list(arrived)).state.consents
        assert {at: consent.is_granted for at, consent in consents.items()} == {
            ("marketing", "sms"): False,
            ("marketing", "email"): True,
        }


def test_the_last_word_on_a_pair_counts_whichever_is_named_first() -> None:
    merged = decided("merged", 1, other={"channel": "mini", "account": "b"})
    split = events.decode(
        Shop("mini").decision("member.split", 2, account="b", other=WEB_A, reason="sisters")
    )
    assert merged.entity_key == split.entity_key
    for arrived in ([merged, split], [split, merged]):
        state = members.fold_rulings(list(arrived)).state
        assert state is not None
        assert (state.is_one, state.data.reason) == (False, "sisters")


def test_an_account_is_no_pair_with_itself() -> None:
    with pytest.raises(BadEvent, match="itself"):
        decided("split", 1, other=WEB_A)


@pytest.mark.parametrize("kind", ["merged", "split", "erased"])
def test_only_the_hub_decides_who_is_one_person_and_who_is_forgotten(kind: str) -> None:
    body = Shop().body(f"member.{kind}", 1, account="a", other={"channel": "x", "account": "b"})
    with pytest.raises(BadEvent, match="only the hub decides"):
        events.decode(body, NOW)
