"""Compares the hub's rows with a channel's: matched, differing, only here, only there. Pure.

Their values are read by what the hub's column is: amounts (`_minor`), quantities (`_milli`),
points, else text. No float is made of any, and ids keep every digit. Tolerance is zero.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hub.domain import money
from hub.domain.money import BadNumber

Row = Mapping[str, Any]
Kind = Literal["differs", "only_here", "only_there", "unreadable"]
CURRENCY_DEFAULT = "CNY"
REPAIRS: Mapping[Kind, str] = {
    "differs": "compare the channel's events of it in the log; post again what is missing",
    "only_here": "ask the channel; if it is gone there, post its cancellation",
    "only_there": "post the channel's events of it again: POST /v1/events, same ids",
    "unreadable": "mend the channel's list or the mapping of its columns",
}


@dataclass(frozen=True)
class Column:
    """A column of the hub, and where it is in their rows: a name, or a path with dots.

    unit: whether their amounts are in the currency's main unit ("12.30") or its minor one.
    words: their words for values -> the hub's.
    """

    ours: str
    theirs: str
    unit: Literal["major", "minor"] = "major"
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What names a row, and what of it is compared."""

    key: tuple[Column, ...]
    values: tuple[Column, ...]


@dataclass(frozen=True)
class Drift:
    """One row that does not agree. why: the columns that differ, or what could not be read."""

    kind: Kind
    key: dict[str, str]
    why: str
    ours: dict[str, Any] | None = None
    theirs: dict[str, Any] | None = None

    @property
    def repair(self) -> str:
        """What usually mends it."""
        return REPAIRS[self.kind]


@dataclass(frozen=True)
class Outcome:
    """How many rows agree, and all that do not."""

    matched: int
    drifts: list[Drift]

    def count(self, kind: Kind) -> int:
        """Rows that drift in this way."""
        return sum(drift.kind == kind for drift in self.drifts)

    @property
    def accuracy(self) -> float:
        """Share of rows that agree, of all that are known on either side."""
        return self.matched / (self.matched + len(self.drifts)) if self.drifts else 1.0


def value_at(row: Row, path: str) -> Any:
    """The value under a name, or under names joined by dots; None where there is none."""
    if path in row:
        return row[path]
    found: Any = row
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def compare(ours: Iterable[Row], theirs: Iterable[Row], plan: Plan) -> Outcome:
    """Set both lists against each other by their keys."""
    names = [column.ours for column in plan.key]
    here = {tuple(str(row[name]) for name in names): row for row in ours}
    seen: set[tuple[str, ...]] = set()
    matched, drifts = 0, []
    for row in theirs:
        key = tuple(_text(value_at(row, column.theirs), column) for column in plan.key)
        drift = _first_look(key, key in seen, plan, row) or _difference(key, here, plan, row)
        seen.add(key)
        if drift is None:
            matched += 1
        else:
            drifts.append(drift)
    for key in here.keys() - seen:
        shown = {column.ours: here[key][column.ours] for column in plan.values}
        drifts.append(Drift("only_here", _named(plan, key), "", ours=shown))
    return Outcome(matched, sorted(drifts, key=lambda one: (one.kind, sorted(one.key.items()))))


def _first_look(key: tuple[str, ...], is_repeated: bool, plan: Plan, row: Row) -> Drift | None:
    if not all(key):
        missing = [column.theirs for column, text in zip(plan.key, key, strict=True) if not text]
        why = f"no {', '.join(missing)}"
    elif is_repeated:
        why = "a second row of this key"
    else:
        return None
    return Drift("unreadable", _named(plan, key), why, theirs=_theirs(plan, row))


def _difference(
    key: tuple[str, ...], here: Mapping[tuple[str, ...], Row], plan: Plan, row: Row
) -> Drift | None:
    ours = here.get(key)
    if ours is None:
        return Drift("only_there", _named(plan, key), "", theirs=_theirs(plan, row))
    differing = []
    for column in plan.values:
        try:
            read = _read(value_at(row, column.theirs), column, ours)
        except BadNumber as error:
            why = f"{column.theirs}: {error}"
            return Drift("unreadable", _named(plan, key), why, theirs=_theirs(plan, row))
        if read != ours[column.ours]:
            differing.append(column.ours)
    if not differing:
        return None
    shown = {column.ours: ours[column.ours] for column in plan.values}
    return Drift("differs", _named(plan, key), ", ".join(differing), shown, _theirs(plan, row))


def _read(value: Any, column: Column, ours: Row) -> int | str:
    """Their value as the hub would hold it. An amount's currency is that of the hub's row."""
    text = _text(value, column)
    name = column.ours
    if name.endswith("_minor") and column.unit == "major":
        return money.minor(_shortest(text), ours.get("currency", CURRENCY_DEFAULT))
    if name.endswith("_milli") and column.unit == "major":
        return money.milli(_shortest(text))
    if name.endswith(("_minor", "_milli", "_points")):
        return money.parse_decimal(_shortest(text), 0)
    return text


def _text(value: Any, column: Column) -> str:
    text = "" if value is None else str(value).strip()
    return column.words.get(text, text)


def _shortest(text: str) -> str:
    """Without zeros at the end of a fraction: lists say 12.3000."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _named(plan: Plan, key: tuple[str, ...]) -> dict[str, str]:
    return {column.ours: text for column, text in zip(plan.key, key, strict=True)}


def _theirs(plan: Plan, row: Row) -> dict[str, Any]:
    """Only the columns that are compared: their rows may hold what is nobody's business here."""
    return {column.ours: value_at(row, column.theirs) for column in plan.values}
