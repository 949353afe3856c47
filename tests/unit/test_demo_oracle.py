"""The oracle itself: it sees what differs, and agrees with what is known of the set."""

from datetime import date
from fractions import Fraction

import pandas as pd

from hub.demo.oracle import comparing, coupons, figures, people, sales
from hub.demo.oracle.journey import Journey
from hub_assets.testing import MARTS


def test_it_names_rows_that_are_missing_too_many_twice_or_unlike() -> None:
    wanted = pd.DataFrame({"sku": ["a", "b", "c"], "milli": [1, 2, 3]})
    found = pd.DataFrame({"sku": ["a", "b", "b", "d"], "milli": [1, 5, 5, 4]})
    unlike, told = comparing.differences("stock", ["sku"], wanted, found)
    assert [one.split(",")[0].split(":")[1].strip() for one in told] == [
        "1 rows of the mart have the key of another",
        "1 rows missing",
        "1 rows not in the set",
        "1 rows differ in milli",
    ]
    assert unlike == 4
    assert comparing.differences("stock", ["sku"], wanted, wanted) == (0, [])


def test_it_sees_what_is_empty_and_should_not_be() -> None:
    wanted = pd.DataFrame({"sku": ["a", "b"], "milli": pd.array([1, None], dtype="Int64")})
    found = pd.DataFrame({"sku": ["a", "b"], "milli": pd.array([None, None], dtype="Int64")})
    unlike, told = comparing.differences("stock", ["sku"], wanted, found)
    assert (unlike, "1 rows differ in milli" in told[0]) == (1, True)


def test_a_household_that_became_two_members_is_a_difference() -> None:
    wanted = pd.DataFrame({"household": [1, 2], "profile_count": [2, 1]})
    found = pd.DataFrame({"household": [1, 1, 2], "profile_count": [1, 1, 1]})
    unlike, _ = comparing.differences("members", ["household"], wanted, found)
    assert unlike == 2


def test_every_mart_and_every_metric_is_compared() -> None:
    assert set(comparing.MARTS) == MARTS
    day = Journey(date(2017, 11, 24), date(2017, 11, 24), households=range(1, 101))
    assert set(figures.wanted(day)) == set(figures.definitions().metrics)


def test_a_month_has_what_is_known_of_it() -> None:
    month = Journey(date(2017, 11, 1), date(2017, 11, 30))
    orders, lines = sales.orders(month), sales.order_lines(month)
    assert len(orders) == 12_734
    assert len(lines) == 121_721
    assert month.accounts["household"].nunique() == 2_469
    redeemed = coupons.redemptions(month)
    assert len(redeemed) == 526
    assert all(basket for _, _, basket in redeemed)
    assert (orders["gross_minor"] - orders["discount_minor"]).equals(orders["total_minor"])
    assert orders["total_minor"].sum() == lines["total_minor"].sum()
    issued = people.points_balances(month)["issued"].sum()
    assert people.points_ledger(month)["points"].sum() == issued
    assert figures.wanted(month)["gmv"] == Fraction(int(orders["total_minor"].sum()))
