"""Who is one person: by what they share, within the policy, and as people rule."""

import random
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import matching, policy
from hub.domain.documents import BadDocument
from hub.domain.ids import Key
from hub.domain.matching import Facts, Holding, Resolution, Ruling
from hub.domain.policy import PROFILES_MAX, Policy
from tests.event_maker import START

LATER = 24 * 60 * 91.0
"""Minutes after which a carrier may have given a number to somebody else."""


def key(number: int) -> Key:
    return number.to_bytes(16)


def value(name: str) -> Key:
    return name.encode().ljust(16)


def holds(
    profile: int, kind: str, name: str, first: float = 0, last: float | None = None
) -> Holding:
    first_at = START + timedelta(minutes=first)
    last_at = START + timedelta(minutes=first if last is None else last)
    return Holding(key(profile), kind, value(name), first_at, last_at)


def ruled(left: int, right: int, *, is_one: bool, minute: float = 0) -> Ruling:
    return Ruling(key(left), key(right), is_one, START + timedelta(minutes=minute))


def resolved(
    *facts: Holding | Ruling, followed: Policy | None = None, channels: dict[int, str] | None = None
) -> Resolution:
    """What any order of these facts comes to; each profile is of a channel of its own."""
    listed = list(facts)
    found: Resolution | None = None
    for seed in range(6):
        random.Random(seed).shuffle(listed)
        held = [fact for fact in listed if isinstance(fact, Holding)]
        said = [fact for fact in listed if isinstance(fact, Ruling)]
        named = {h.profile for h in held} | {p for r in said for p in (r.left, r.right)}
        given_ = {key(number): channel for number, channel in (channels or {}).items()}
        facts_ = Facts({p: p.hex() for p in named} | given_, held, said)
        again = matching.resolve(facts_, followed or policy.default())
        assert found is None or again == found
        found = again
    assert found is not None
    return found


def groups(resolution: Resolution) -> list[set[int]]:
    """The members, each as the numbers of its profiles."""
    found: dict[Key, set[int]] = {}
    for profile, member in resolution.members.items():
        found.setdefault(member, set()).add(int.from_bytes(profile))
    assert all(int.from_bytes(member) == min(numbers) for member, numbers in found.items())
    return sorted(found.values(), key=min)


def kinds(resolution: Resolution) -> set[str]:
    return {review.kind for review in resolution.reviews}


@pytest.mark.parametrize("kind", policy.TYPES)
def test_profiles_that_proved_the_same_value_are_one_member(kind: str) -> None:
    found = resolved(holds(1, kind, "x"), holds(2, kind, "x", 5), holds(3, kind, "y"))
    assert groups(found) == [{1, 2}, {3}]
    assert found.reviews == []


def test_a_family_that_shares_one_phone_with_two_unionids_is_a_review_case_and_no_merge() -> None:
    found = resolved(
        holds(1, "phone", "p", 0), holds(1, "unionid", "u1"),
        holds(2, "phone", "p", 9), holds(2, "unionid", "u2"),
    )  # fmt: skip
    assert groups(found) == [{1}, {2}]
    assert kinds(found) == {"identifier_shared"}
    assert found.standings[key(1), "phone", value("p")].name == matching.JOINS
    assert found.standings[key(2), "phone", value("p")].name == matching.REVIEW


def test_two_accounts_of_a_household_behind_other_profiles_are_not_joined_either() -> None:
    """The unionids are two steps away from the phone that would join them."""
    found = resolved(
        holds(1, "unionid", "u1"), holds(1, "email", "e1"), holds(2, "email", "e1", 1),
        holds(2, "phone", "p", 2), holds(3, "phone", "p", 3),
        holds(3, "card", "c"), holds(4, "card", "c"), holds(4, "unionid", "u2"),
    )  # fmt: skip
    assert groups(found) == [{1}, {2, 3, 4}]
    assert kinds(found) == {"identifier_shared"}


def test_a_third_who_shows_a_number_that_two_share_joins_neither() -> None:
    found = resolved(
        holds(1, "phone", "p", 0), holds(1, "unionid", "u1"),
        holds(2, "phone", "p", 9), holds(2, "unionid", "u2"), holds(3, "phone", "p", 12),
    )  # fmt: skip
    assert groups(found) == [{1}, {2}, {3}]


def test_a_third_who_is_known_to_be_one_of_two_stays_with_that_one() -> None:
    found = resolved(
        holds(1, "phone", "p", 0), holds(1, "unionid", "u1"),
        holds(2, "phone", "p", 9), holds(2, "unionid", "u2"),
        holds(3, "phone", "p", 12), holds(3, "unionid", "u2"),
    )  # fmt: skip
    assert groups(found) == [{1}, {2, 3}]


def test_a_number_that_a_carrier_gave_to_another_closes_the_old_holding_and_merges_nobody() -> None:
    found = resolved(
        holds(1, "phone", "p", 0), holds(1, "openid", "o1"), holds(3, "phone", "p", 1),
        holds(2, "phone", "p", LATER + 1), holds(2, "openid", "o2"),
    )  # fmt: skip
    assert groups(found) == [{1, 3}, {2}]
    assert kinds(found) == {"identifier_reassigned"}
    old, new = (found.standings[key(n), "phone", value("p")] for n in (1, 2))
    assert old.name == matching.CLOSED
    assert old.valid_to == START + timedelta(minutes=LATER + 1)
    assert (new.name, new.valid_to) == (matching.JOINS, None)


def test_a_second_account_of_a_channel_long_after_is_a_new_person() -> None:
    facts = (holds(1, "phone", "p", 0), holds(2, "phone", "p", LATER))
    assert groups(resolved(*facts, channels={1: "web", 2: "web"})) == [{1}, {2}]
    assert groups(resolved(*facts, channels={1: "web", 2: "mini"})) == [{1, 2}]


def test_who_still_proves_a_number_has_not_lost_it() -> None:
    found = resolved(
        holds(1, "phone", "p", 0, last=LATER + 5), holds(1, "unionid", "u1"),
        holds(2, "phone", "p", LATER), holds(2, "unionid", "u2"),
    )  # fmt: skip
    assert kinds(found) == {"identifier_shared"}


def test_a_unionid_that_speaks_against_a_merge_undoes_it() -> None:
    merged = [holds(1, "phone", "p"), holds(2, "phone", "p", 1), holds(2, "unionid", "u2")]
    assert groups(resolved(*merged)) == [{1, 2}]
    assert groups(resolved(*merged, holds(1, "unionid", "u1", 9))) == [{1}, {2}]


def test_a_value_that_too_many_show_belongs_to_nobody() -> None:
    some = [holds(n, "phone", "tablet", n) for n in range(1, PROFILES_MAX + 2)]
    assert groups(resolved(*some[:-1])) == [set(range(1, PROFILES_MAX + 1))]
    found = resolved(*some)
    assert len(groups(found)) == PROFILES_MAX + 1
    assert kinds(found) == {"identifier_overused"}
    assert {standing.name for standing in found.standings.values()} == {matching.OVERUSED}


def test_a_type_that_does_not_join_by_itself_asks_a_person() -> None:
    cautious = policy.read({"version": "t", "types": [{"type": "email", "joins": False}]})
    found = resolved(holds(1, "email", "e"), holds(2, "email", "e", 1), followed=cautious)
    assert groups(found) == [{1}, {2}]
    assert kinds(found) == {"identifier_shared"}


def test_a_split_is_kept_against_the_same_and_against_new_evidence() -> None:
    split = ruled(1, 2, is_one=False)
    found = resolved(split, holds(1, "phone", "p"), holds(2, "phone", "p", 1))
    assert groups(found) == [{1}, {2}]
    assert found.reviews == []
    assert found.standings[key(2), "phone", value("p")].name == matching.APART
    more = (holds(1, "unionid", "u"), holds(2, "unionid", "u"))
    assert groups(resolved(split, *more)) == [{1}, {2}]
    by_a_third = (holds(1, "phone", "p"), holds(3, "phone", "p", 1), holds(3, "email", "e"))
    assert groups(resolved(split, *by_a_third, holds(2, "email", "e", 2))) == [{1, 3}, {2}]


def test_a_merge_that_a_person_ruled_stands_against_two_unionids() -> None:
    found = resolved(
        ruled(1, 2, is_one=True),
        holds(1, "phone", "p"), holds(1, "unionid", "u1"),
        holds(2, "phone", "p", 1), holds(2, "unionid", "u2"),
    )  # fmt: skip
    assert groups(found) == [{1, 2}]
    assert found.reviews == []


def test_rulings_that_contradict_each_other_keep_apart_and_ask() -> None:
    rulings = [ruled(1, 2, is_one=True), ruled(2, 3, is_one=True, minute=1)]
    found = resolved(*rulings, ruled(1, 3, is_one=False))
    assert groups(found) == [{1, 2}, {3}]
    assert kinds(found) == {"rulings_contradict"}


def test_a_blocked_value_of_the_policy_joins_nobody() -> None:
    held = [holds(1, "phone", "p"), holds(2, "phone", "p", 1)]
    barred = {("phone", value("p")): matching.BLOCKED}
    facts = Facts({key(1): "web", key(2): "mini"}, held, [], barred)
    found = matching.resolve(facts, policy.default())
    assert groups(found) == [{1}, {2}]
    assert found.reviews == []


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({}, "$"),
        ({"types": []}, "$.types"),
        ({"types": [{"type": "fax"}]}, "$.types[0]"),
        ({"types": [{"type": "email"}, {"type": "email"}]}, "$.types[1]"),
        ({"types": [{"type": "phone", "unless_differ": ["fax"]}]}, "$.types[0]"),
        ({"types": [{"type": "phone", "profiles_max": 1}]}, "$.types[0].profiles_max"),
        ({"types": [{"type": "phone", "profiles_max": 201}]}, "$.types[0].profiles_max"),
        ({"types": [{"type": "phone", "profile_max": 3}]}, "$.types[0]"),
        ({"types": [{"type": "phone"}], "blocked": {"fax": ["1"]}}, "$.blocked"),
    ],
)
def test_a_policy_that_says_something_unknown_is_refused(
    said: dict[str, object], field: str
) -> None:
    with pytest.raises(BadDocument) as bad:
        policy.read({"version": "1"} | said)
    assert bad.value.field == field


def test_blocked_values_are_known_in_any_spelling() -> None:
    blocked = {"phone": ["139 1234 5678"]}
    read = policy.read({"version": "1", "types": [{"type": "phone"}], "blocked": blocked})
    assert policy.blocked_values(read) == [("phone", "+8613912345678")]


def test_a_chain_of_merges_has_one_survivor_and_no_cycle() -> None:
    chain = [(key(3), key(2)), (key(2), key(1)), (key(1), key(3))]
    for order in permutations(chain):
        assert matching.components(order) == {key(n): key(1) for n in (1, 2, 3)}


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20))
def test_a_component_is_all_that_can_be_reached(edges: list[tuple[int, int]]) -> None:
    found = matching.components([(key(a), key(b)) for a, b in edges])
    for start in {node for edge in edges for node in edge}:
        reached, grown = {start}, True
        while grown:
            more = {n for edge in edges if reached & set(edge) for n in edge} - reached
            reached, grown = reached | more, bool(more)
        assert found[key(start)] == key(min(reached))
