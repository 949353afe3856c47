"""Every mart against what it must hold, row by row and column by column."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg

from hub.demo.oracle import coupons, figures, goods, people, sales, sync
from hub.demo.oracle.journey import Frame, Journey

STATEMENT_TIMEOUT_MS = 600_000
"""A year's movements are some four million rows."""
SHOWN_MAX = 3
QUERIES = Path(__file__).parent / "sql"
NULL = "\\N"
METRICS = "metrics"


@dataclass(frozen=True)
class Wanted:
    """What a mart must hold: its rows, and the columns that name one."""

    key: list[str]
    rows: Callable[[Journey], Frame]


def _nothing(column: str) -> Wanted:
    return Wanted([column], lambda _: pd.DataFrame({column: pd.Series(dtype=object)}))


MARTS = {
    "orders": Wanted(["order_number"], sales.orders),
    "order_lines": Wanted(["order_number", "line"], sales.order_lines),
    "payments": Wanted(["order_number", "kind", "part"], sales.payments),
    "settlements": Wanted(["order_number"], sales.settlements),
    "daily_sales": Wanted(["day", "channel"], sales.daily_sales),
    "basket_pairs": Wanted(["month", "category", "other_category"], sales.basket_pairs),
    "items": Wanted(["sku"], goods.items),
    "places": Wanted(["place"], goods.places),
    "channels": Wanted(["channel"], goods.channels),
    "dates": Wanted(["calendar_date"], goods.dates),
    "stock_positions": Wanted(["sku", "place"], goods.stock_positions),
    "stock_movements": Wanted(["order_number", "sku", "place", "kind"], goods.stock_movements),
    "member_identities": Wanted(["channel", "account"], people.member_identities),
    "member_links": Wanted(["channel", "account"], people.member_links),
    "members": Wanted(["household"], people.members),
    "customer_portrait": Wanted(["household"], people.customer_portrait),
    "segments": Wanted(["household", "segment"], people.segments),
    "points_ledger": Wanted(["order_number"], people.points_ledger),
    "points_balances": Wanted(["channel", "account"], people.points_balances),
    "coupons": Wanted(["code"], coupons.coupons),
    "channel_sync": Wanted(["channel", "type"], sync.channel_sync),
    # The set has no vouchers, bills, live sessions or disputes: of these nothing may be there.
    "deferred_revenue": _nothing("channel"),
    "cross_store_clearing": _nothing("channel"),
    "live_sessions": _nothing("channel"),
    "cases": _nothing("kind"),
}


@dataclass
class Compared:
    """How many rows were compared, by mart, how many of them are equal, and what is not."""

    rows: dict[str, int] = field(default_factory=dict)
    equal: dict[str, int] = field(default_factory=dict)
    members: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def keys(self) -> int:
        """All that was compared: rows of marts, and metrics."""
        return sum(self.rows.values())

    @property
    def accuracy(self) -> float:
        """Share of what is equal, 0 to 1."""
        return sum(self.equal.values()) / self.keys if self.keys else 1.0

    @property
    def is_equal(self) -> bool:
        """Every row and metric equal, and no household lost or made two."""
        return not self.differences and self.equal == self.rows

    def add(self, name: str, key: list[str], wanted: Frame, found: Frame) -> None:
        """Compare a mart's rows with what is wanted, both ways."""
        unlike, told = differences(name, key, wanted, found)
        self.rows[name] = max(len(wanted), len(found))
        self.equal[name] = max(self.rows[name] - unlike, 0)
        self.differences += told

    def add_metrics(
        self, wanted: dict[str, figures.Figure], found: dict[str, figures.Figure]
    ) -> None:
        """Compare each metric with what it must be."""
        self.rows[METRICS] = len(wanted | found)
        unlike = [name for name in wanted | found if wanted.get(name) != found.get(name)]
        self.equal[METRICS] = self.rows[METRICS] - len(unlike)
        self.differences += [
            f"metric {name}: {found.get(name)} instead of {wanted.get(name)}" for name in unlike
        ]


def compare(dsn: str, journey: Journey) -> Compared:
    """Compare all marts with the set. dsn: of a role that reads marts with personal columns."""
    compared = Compared()
    options = f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
    with psycopg.connect(dsn, options=options, connect_timeout=10) as connection:
        for name, mart in MARTS.items():
            wanted = mart.rows(journey)
            found = _read(connection, name, wanted)
            compared.add(name, mart.key, wanted, found)
            if name == "members":
                compared.members = len(found)
        compared.add_metrics(figures.wanted(journey), figures.found(connection))
    return compared


def _read(connection: psycopg.Connection[Any], name: str, wanted: Frame) -> Frame:
    """A mart's rows as its query gives them, in the types of what is wanted."""
    query = (QUERIES / f"{name}.sql").read_text(encoding="utf-8")
    text = io.BytesIO()
    options = f"(format csv, header, null '{NULL}')"
    with connection.cursor().copy(f"copy ({query}) to stdout with {options}".encode()) as copy:
        for part in copy:
            text.write(part)
    text.seek(0)
    types = {c: "str" if t.kind == "O" else t.name for c, t in wanted.dtypes.items()}
    # A number may be missing where it should not: that is a difference, and no error.
    types = {c: "Int64" if t.startswith("int") else t for c, t in types.items()}
    return pd.read_csv(text, dtype=types, keep_default_na=False, na_values=[NULL])


def differences(name: str, key: list[str], wanted: Frame, found: Frame) -> tuple[int, list[str]]:
    """How many rows are missing, too many, twice, or unlike; and some of them in words."""
    found = found[list(wanted.columns)]
    unlike, told = 0, []
    for frame, whose in ((wanted, "the set"), (found, "the mart")):
        if twice := int(frame.duplicated(key).sum()):
            unlike += twice
            told.append(f"{name}: {twice} rows of {whose} have the key of another")
    wanted, found = (frame.drop_duplicates(key) for frame in (wanted, found))
    both = wanted[key].merge(found[key], on=key, how="outer", indicator=True)
    for side, word in (("left_only", "missing"), ("right_only", "not in the set")):
        if len(rows := both[both["_merge"] == side]):
            unlike += len(rows)
            told.append(f"{name}: {len(rows)} rows {word}, such as {_shown(rows[key])}")
    common = both.loc[both["_merge"] == "both", key]
    pair = [frame.merge(common, on=key).sort_values(key) for frame in (wanted, found)]
    is_unlike = pd.Series(data=False, index=range(len(common)))
    for column in [column for column in wanted.columns if column not in key]:
        ours, theirs = (frame[column].astype(object).reset_index(drop=True) for frame in pair)
        here = ~((ours == theirs) | (ours.isna() & theirs.isna()))
        if count := int(here.sum()):
            shown = pair[0][key].reset_index(drop=True).assign(wanted=ours, found=theirs)[here]
            told.append(f"{name}: {count} rows differ in {column}: {_shown(shown)}")
        is_unlike |= here
    return unlike + int(is_unlike.sum()), told


def _shown(rows: Frame) -> list[dict[str, Any]]:
    return rows.head(SHOWN_MAX).to_dict("records")
