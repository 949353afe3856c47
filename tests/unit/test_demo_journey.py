"""The data set as events: each is valid, and folding them gives what the tables say."""

import itertools
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from hub.demo import campaigns, feed, households, journey, source
from hub.demo.disturb import CALM, Disturbance, Disturbed
from hub.demo.envelope import Fact, Record
from hub.demo.oracle import sales
from hub.demo.oracle.journey import Journey
from hub.domain import events, identifiers, orders
from hub.domain.envelope import Event

DAY = source.Window(date(2017, 11, 24), date(2017, 11, 24))
SEED = 3


@pytest.fixture(scope="module")
def tables() -> source.Tables:
    return source.load(DAY)


@pytest.fixture(scope="module")
def records(tables: source.Tables) -> list[Record]:
    return list(journey.records(tables, SEED))


@pytest.fixture(scope="module")
def decoded(records: list[Record]) -> list[Event]:
    now = datetime.now(UTC)
    return [events.decode(record.value, now) for record in records]


def test_every_event_is_valid_and_has_an_identity_of_its_own(decoded: list[Event]) -> None:
    assert len({event.key for event in decoded}) == len(decoded)


def test_events_come_in_the_order_of_time(records: list[Record]) -> None:
    assert all(a.at_s <= b.at_s for a, b in itertools.pairwise(records))


def test_an_event_has_the_key_that_the_api_would_give_it(
    records: list[Record], decoded: list[Event]
) -> None:
    assert all(
        events.partition_key(event) == record.key
        for event, record in zip(decoded, records, strict=True)
    )


def test_the_folded_orders_are_the_baskets(tables: source.Tables, decoded: list[Event]) -> None:
    by_order: dict[bytes, list[Event]] = {}
    for event in decoded:
        if event.entity_kind == "order":
            by_order.setdefault(event.entity_key, []).append(event)
    rows = sales.orders(Journey(DAY.first, DAY.last, SEED)).to_dict("records")
    wanted = {str(row["order_number"]): row for row in rows}
    assert len(by_order) == len(wanted) > 300
    for steps in by_order.values():
        state = orders.fold(steps).state
        assert state.content is not None
        order = wanted[steps[0].subject]
        assert len(state.content.lines) == order["lines"]
        assert sum(line.gross_minor for line in state.content.lines) == order["gross_minor"]
        assert sum(line.discount_minor for line in state.content.lines) == order["discount_minor"]
        assert state.content.total_minor == state.paid_minor == order["total_minor"]
        assert (state.status, state.payment_status) == ("completed", "paid")


def test_proven_identifiers_join_the_accounts_of_a_household_and_no_others(
    tables: source.Tables,
) -> None:
    group: dict[str, int] = {}
    joined = Counter[int]()
    for household in households.households(tables):
        accounts: list[set[str]] = []
        for fact in households.member_facts(household):
            values = _proven(fact) | {fact.subject}
            known = [a for a in accounts if a & values]
            merged = values.union(*known)
            accounts = [a for a in accounts if a not in known] + [merged]
        joined[len(accounts)] += 1
        for value in set().union(*accounts):
            assert group.setdefault(value, household.number) == household.number
    assert joined == {1: source.HOUSEHOLDS}


def _proven(fact: Fact) -> set[str]:
    """The identifiers of an event that may join accounts, in their one spelling."""
    found = [i for i in fact.data["identifiers"] if i["proof"] == "verified"]
    values = [
        (i["type"], identifiers.normalise(i["type"], i["value"], i.get("app"))) for i in found
    ]
    return {f"{kind}:{value}" for kind, value in values if value is not None}


def test_channels_share_the_stores_fairly(tables: source.Tables) -> None:
    shares = Counter(tables.channel_of_store.values())
    assert set(shares) == set(source.CHANNELS)
    assert max(shares.values()) - min(shares.values()) <= 1


def test_naive_times_are_utc_since_only_so_each_redemption_has_a_basket() -> None:
    whole = source.load(source.month(12))
    found = campaigns.redemptions(whole)
    assert len(found) == 274
    assert all(redemption.basket is not None for redemption in found)


def test_what_is_disturbed_is_neither_lost_nor_altered(records: list[Record]) -> None:
    disturbed = Disturbed(iter(records), Disturbance(seed=5))
    sent = list(disturbed)
    assert disturbed.twice > 0
    assert disturbed.late > 0
    assert disturbed.swapped > 0
    assert Counter(sent) - Counter(records) <= Counter(records)
    assert set(sent) == set(records)
    assert len(sent) == len(records) + disturbed.twice
    assert [r.at_s for r in sent] != sorted(r.at_s for r in sent)


def test_the_same_seed_disturbs_in_the_same_way(records: list[Record]) -> None:
    first, second = (list(Disturbed(iter(records), Disturbance(seed=5))) for _ in range(2))
    assert first == second
    assert list(Disturbed(iter(records), CALM)) == records


def test_a_pace_by_rate_and_by_time() -> None:
    def due(pace: feed.Pace, *at_s: int) -> list[float]:
        clock = feed._Clock(pace, 100.0)
        return [clock.due(Record(second, "t", b"", b"")) for second in at_s]

    assert due(feed.Pace(events_per_s=10), 0, 0, 0) == [100.0, 100.1, 100.2]
    assert due(feed.Pace(times_real=60), 1000, 1060, 1120) == [100.0, 101.0, 102.0]
    assert due(feed.Pace(), 5, 6) == [0.0, 0.0]
