"""Each promise of the hub is labelled by how it is proved, and the proof is there."""

from pathlib import Path

from hub.store.check import INVARIANTS

ROOT = Path(__file__).parents[2]


def test_each_of_the_eight_promises_has_a_label() -> None:
    named = {one.title.split(":")[0] for one in INVARIANTS}
    assert {f"I{number}" for number in range(1, 9)} <= named


def test_what_the_store_shows_has_a_query_and_what_else_is_promised_names_its_tests() -> None:
    for one in INVARIANTS:
        if one.proof == "store":
            assert one.sql, one.name
            assert not one.proved_by, one.name
        else:
            assert one.proved_by, one.name
            assert (ROOT / one.proved_by).exists(), one.name


def test_no_promise_is_named_twice() -> None:
    names = [one.name for one in INVARIANTS]
    assert len(names) == len(set(names))
