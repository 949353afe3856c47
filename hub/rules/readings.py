"""What rules read of one fact: each place is read, and converted, once for all rules upon it.

A reading is a function that is made once for whatever asks for the same: so it can be looked up in
what was read already.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from hub.rules import expressions, fields
from hub.rules.expressions import ExpressionFailed
from hub.rules.fields import MISSING

READINGS_MAX = 16_384
"""So many are remembered; one that is made anew is only not shared with those made before."""
_UNREAD: Any = object()


class Context:
    """What conditions and maps read: `roots` of paths; what expressions read is made for the first
    of them, since handing it over costs more than most rules do. read: what was read of it."""

    __slots__ = ("_bound", "_is_within", "read", "roots")

    def __init__(self, roots: dict[str, Any]) -> None:
        self.roots = roots
        self.read: dict[Any, Any] = {}
        self._bound: Any = None
        self._is_within: bool | None = None

    @property
    def is_within_bounds(self) -> bool:
        """Whether the fact is small enough for expressions."""
        if self._is_within is None:
            try:
                expressions.check_bounds(self.roots["data"])
            except ExpressionFailed:
                self._is_within = False
            else:
                self._is_within = True
        return self._is_within

    @property
    def bound(self) -> Any:
        """For expressions. Raises `ExpressionFailed` if the fact is too large for them."""
        if self._bound is None:
            if not self.is_within_bounds:
                expressions.check_bounds(self.roots["data"])  # says what is too large
            self._bound = expressions.handed(self.roots["event"], self.roots["data"])
        return self._bound

    def within(self, item: Any) -> "Context":
        """The same inside an item of a list."""
        inner = Context(self.roots | {"item": item})
        inner._bound, inner._is_within = self._bound, self._is_within
        return inner


Reading = Callable[[Context], Any]
Conversion = Callable[[Any], Any]


@lru_cache(READINGS_MAX)
def converted(steps: tuple[fields.Step, ...], convert: Conversion) -> Reading:
    """What stands at a path, converted; MISSING and None as they are. What `convert` raises is
    raised."""
    at = fields.reader(steps)

    def read(context: Context) -> Any:
        found = context.read.get(read, _UNREAD)
        if found is _UNREAD:
            found = at(context.roots)
            if found is not MISSING and found is not None:
                found = convert(found)
            context.read[read] = found
        return found

    return read


@lru_cache(READINGS_MAX)
def judged(steps: tuple[fields.Step, ...], convert: Conversion) -> Reading:
    """The same for what can be read of anything, MISSING and None too."""
    at = fields.reader(steps)

    def read(context: Context) -> Any:
        found = context.read.get(read, _UNREAD)
        if found is _UNREAD:
            found = context.read[read] = convert(at(context.roots))
        return found

    return read
