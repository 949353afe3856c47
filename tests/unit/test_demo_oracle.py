"""The oracle itself: it sees what differs, and agrees with what is known of the set."""

from datetime import date

import pandas as pd

from tests.acceptance import oracle


def test_it_names_rows_that_are_missing_too_many_twice_or_unlike() -> None:
    wanted = pd.DataFrame({"sku": ["a", "b", "c"], "milli": [1, 2, 3]})
    found = pd.DataFrame({"sku": ["a", "b", "b", "d"], "milli": [1, 5, 5, 4]})
    differences = oracle._differences("stock", ["sku"], wanted, found)
    assert [difference.split(",")[0].split(":")[1].strip() for difference in differences] == [
        "1 rows have the key of another",
        "1 rows missing",
        "1 rows not in the set",
        "1 rows differ in milli",
    ]
    assert oracle._differences("stock", ["sku"], wanted, wanted) == []


def test_it_names_households_that_are_split_or_mixed() -> None:
    expected = pd.DataFrame(
        {"household": [1, 1, 2], "channel": ["w", "m", "w"], "account": ["w-1", "m-1", "w-2"]}
    )
    found = expected[["channel", "account"]].assign(member_id=["x", "y", "y"])
    differences = oracle._identity_differences(expected, found)
    assert "members: 1 households are more than one member, such as [1]" in differences
    assert "members: 1 members are more than one household" in differences


def test_a_month_has_what_is_known_of_it() -> None:
    truth = oracle.truth(date(2017, 11, 1), date(2017, 11, 30))
    assert len(truth.orders) == 12_734
    assert len(truth.lines) == 121_721
    assert truth.profiles["household"].nunique() == 2_469
    assert truth.redemptions["times"].sum() == 526
    assert (truth.redemptions["order_number"] != "").all()
    assert (truth.orders["gross_minor"] - truth.orders["discount_minor"]).equals(
        truth.orders["total_minor"]
    )
    assert truth.orders["total_minor"].sum() == truth.lines["total_minor"].sum()
    assert truth.ledger["points"].sum() == truth.balances["points"].sum()
