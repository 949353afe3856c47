"""Which of many rules a fact can concern, looked up by what it says instead of asked one by one.

A rule whose first condition compares one place with a constant is found by that constant: so those
that do not match cost nothing, whatever they compare.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct

from hub.rules import comparisons
from hub.rules.comparisons import INCOMPARABLE, UNSURE, Comparison
from hub.rules.readings import Context, Reading
from hub.rules.running import Compiled


class Candidate(Struct, frozen=True, gc=False):
    """A rule that may do something. order: its place among all by name; is_tested: its conditions
    are known to hold."""

    order: int
    rule: Compiled
    is_tested: bool = False


in_order = attrgetter("order")


class Index:
    """Rules upon one type of event in one channel, by what their first conditions compare."""

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._always: list[Candidate] = []
        by_reading: dict[Reading, list[tuple[Comparison, Candidate]]] = {}
        for one in candidates:
            when = one.rule.checked.rule.when
            found = comparisons.first_of(when, one.rule.checked.expressions, "$.when")
            if found is None:
                self._always.append(Candidate(one.order, one.rule, not when))
            else:
                is_tested = found.is_all and len(when) == 1
                known = Candidate(one.order, one.rule, is_tested)
                by_reading.setdefault(found.reading, []).append((found, known))
        self._places = [(reading, _Place(known)) for reading, known in by_reading.items()]

    def candidates(self, context: Context) -> list[Candidate]:
        """Those that may do something, in no order."""
        found = self._always.copy()
        for reading, place in self._places:
            value = reading(context)
            if value is not INCOMPARABLE:
                found += place.all if value is UNSURE else place.matching(value)
        return found


class _Place:
    """What is compared with one reading. all: whom to ask where the reading itself does not know,
    with nothing tested."""

    def __init__(self, known: Sequence[tuple[Comparison, Candidate]]) -> None:
        self.all = [Candidate(one.order, one.rule) for _, one in known]
        self._equal: dict[Any, list[Candidate]] = {}
        bounds: dict[str, dict[str, list[tuple[Any, Candidate]]]] = {}
        for comparison, one in known:
            if comparison.op == "eq":
                for value in set(comparison.values):
                    self._equal.setdefault(value, []).append(one)
            else:
                (value,) = comparison.values
                by_op = bounds.setdefault(comparisons.class_of(value) or "", {})
                by_op.setdefault(comparison.op, []).append((value, one))
        self._bounds = {
            kind: [_Bounds(op, pairs) for op, pairs in by_op.items()]
            for kind, by_op in bounds.items()
        }

    def matching(self, value: Any) -> list[Candidate]:
        found: list[Candidate] = []
        if self._equal and not isinstance(value, (list, dict)):
            found += self._equal.get(value, ())
        if self._bounds:
            for bounds in self._bounds.get(comparisons.class_of(value) or "", ()):
                found += bounds.matching(value)
        return found


class _Bounds:
    """Constants in their order, of whom a value is beyond the first ones, or before the last."""

    def __init__(self, op: str, pairs: list[tuple[Any, Candidate]]) -> None:
        pairs = sorted(pairs, key=lambda pair: pair[0])
        self._values = [value for value, _ in pairs]
        self._candidates = [one for _, one in pairs]
        self._is_above = op in ("gt", "gte")
        self._cut: Callable[[list[Any], Any], int]
        self._cut = bisect_left if op in ("gt", "lte") else bisect_right

    def matching(self, value: Any) -> list[Candidate]:
        place = self._cut(self._values, value)
        return self._candidates[:place] if self._is_above else self._candidates[place:]
