"""The hub's rows against a channel's: what agrees, what drifts, and how their values are read."""

import pytest

from hub_assets.recon import theirs
from hub_assets.recon.comparing import Column, Drift, Outcome, Plan, compare

PLAN = Plan(
    (Column("order_number", "number"),),
    (Column("total_minor", "amount"), Column("status", "state", words={"已关闭": "cancelled"})),
)


def ours(number: str, total: int = 19_800, **more: object) -> dict[str, object]:
    return {
        "order_number": number, "total_minor": total, "currency": "CNY", "status": "open", **more,
    }  # fmt: skip


def row(number: object, amount: object = "198.00", state: str = "open") -> dict[str, object]:
    return {"number": number, "amount": amount, "state": state}


def only(outcome: Outcome) -> Drift:
    (drift,) = outcome.drifts
    return drift


def test_rows_are_matched_differing_only_here_or_only_there() -> None:
    found = compare(
        [ours("1"), ours("2"), ours("3")],
        [row("1"), row("2", "198.01"), row("4")],
        PLAN,
    )
    assert found.matched == 1
    assert [(one.kind, one.key["order_number"]) for one in found.drifts] == [
        ("differs", "2"),
        ("only_here", "3"),
        ("only_there", "4"),
    ]
    assert found.drifts[0].why == "total_minor"
    assert found.accuracy == 0.25


def test_two_empty_lists_agree() -> None:
    assert compare([], [], PLAN) == Outcome(0, [])
    assert compare([], [], PLAN).accuracy == 1.0


@pytest.mark.parametrize("amount", ["198", "198.0", "198.00", "198.0000", 198, " 198.00 "])
def test_an_amount_is_the_same_however_many_zeros_it_has(amount: object) -> None:
    assert compare([ours("1")], [row("1", amount)], PLAN).drifts == []


@pytest.mark.parametrize(
    ("currency", "amount", "total"), [("JPY", "500", 500), ("KWD", "1.250", 1_250)]
)
def test_an_amount_is_read_by_its_currency(currency: str, amount: str, total: int) -> None:
    assert compare([ours("1", total, currency=currency)], [row("1", amount)], PLAN).drifts == []


def test_amounts_in_fen_are_read_as_fen() -> None:
    plan = Plan(PLAN.key, (Column("total_minor", "amount", unit="minor"),))
    assert compare([ours("1")], [row("1", "19800")], plan).drifts == []


@pytest.mark.parametrize("amount", ["", None, "12,30", "1e3", "198.005", "free"])
def test_an_amount_that_is_none_is_unreadable_and_does_not_pass(amount: object) -> None:
    drift = only(compare([ours("1")], [row("1", amount)], PLAN))
    assert drift.kind == "unreadable"
    assert drift.why.startswith("amount: ")


def test_their_words_are_read_as_the_hubs() -> None:
    known = [ours("1", status="cancelled")]
    assert compare(known, [row("1", state="已关闭")], PLAN).drifts == []


def test_a_key_that_comes_twice_in_their_list_is_shown() -> None:
    drift = only(compare([ours("1")], [row("1"), row("1")], PLAN))
    assert (drift.kind, drift.why) == ("unreadable", "a second row of this key")


def test_a_row_without_a_key_is_shown() -> None:
    assert only(compare([], [{"amount": "1.00"}], PLAN)).why == "no number"


def test_only_columns_that_are_compared_are_kept() -> None:
    drift = only(compare([], [row("9") | {"buyer_phone": "13912345678"}], PLAN))
    assert drift.theirs == {"total_minor": "198.00", "status": "open"}


def test_ids_above_2_to_the_53_keep_every_digit() -> None:
    text = '{"data": {"orders": [{"number": 9007199254740993, "amount": 0.30, "state": "open"}]}}'
    listed = theirs.parse([text], "json", "data.orders")
    assert compare([ours("9007199254740993", 30)], listed, PLAN).drifts == []


def test_a_value_may_lie_deeper_in_a_row() -> None:
    plan = Plan(PLAN.key, (Column("total_minor", "price.value"),))
    assert compare([ours("1")], [{"number": "1", "price": {"value": "198"}}], plan).drifts == []


def test_csv_and_json_lines_are_read() -> None:
    (line,) = theirs.parse(["number,amount\n", "1,198.00\n"], "csv")
    assert line == {"number": "1", "amount": "198.00"}
    (line,) = theirs.parse(['{"number": 1}\n', "\n"], "jsonl")
    assert line == {"number": "1"}


@pytest.mark.parametrize("text", ["{}", "[1]", "[", '{"data": {"orders": null}}'])
def test_a_json_list_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of json, and of ours
        list(theirs.parse([text], "json", "data.orders" if "data" in text else ""))
