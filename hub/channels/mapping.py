"""Maps: the shape of what comes out, with a line for each value (`hub.channels.expressions`).

An object with `each` and `item` is a list, made of a list; `when` says if an object is there at
all. An object of which nothing that may be missing was there is left out.
"""

from typing import Any

from msgspec import Struct

from hub.channels import expressions
from hub.channels.expressions import Scope, Unmapped
from hub.channels.paths import MISSING
from hub.domain.documents import BadDocument

ITEMS_MAX = 1_000
DEPTH_MAX = 12
Map = Any
"""JSON: objects, lists, and lines as text."""


class When(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A condition: what stands `at` a place `equals` a value, is one of `any_of`, or is there.
    Values are compared as text."""

    at: str
    equals: str | int | bool | None = None
    not_equals: str | int | bool | None = None
    any_of: list[str | int | bool] | None = None
    present: bool | None = None

    def holds(self, scope: Scope) -> bool:
        line = self.at if self.at.endswith("?") or "|" in self.at else f"{self.at}?"
        found = expressions.value_of(line, scope)
        if self.present is not None and (found is not MISSING) != self.present:
            return False
        if self.equals is not None and not _same(found, self.equals):
            return False
        if self.not_equals is not None and _same(found, self.not_equals):
            return False
        return self.any_of is None or any(_same(found, one) for one in self.any_of)


def _same(found: Any, wanted: str | int | bool) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return str(found).lower() == str(wanted).lower()
    return found is not MISSING and str(found) == str(wanted)


def check(node: Map, place: str, depth: int = 0) -> None:
    """BadDocument names the first place of a map that cannot be read."""
    if depth > DEPTH_MAX:
        raise BadDocument(f"it is nested deeper than {DEPTH_MAX}", place)
    if isinstance(node, str):
        try:
            expressions.parse(node)
        except BadDocument as bad:
            raise BadDocument(bad.reason, place) from None
    elif isinstance(node, dict):
        if "each" in node and not {"each", "item"} <= set(node) <= {"each", "item", "when"}:
            raise BadDocument("a list has `each` and `item`, and `when` if wanted", place)
        for name, part in node.items():
            if name == "when":
                _conditions(part, f"{place}.when")
            else:
                check(part, f"{place}.{name}", depth + 1)
    elif isinstance(node, list):
        for i, part in enumerate(node):
            check(part, f"{place}[{i}]", depth + 1)


def apply(node: Map, scope: Scope) -> Any:
    """What the map makes of a message; MISSING if nothing. Raises `Unmapped`."""
    if isinstance(node, str):
        return expressions.value_of(node, scope)
    if isinstance(node, list):
        return _list(node, scope)
    if not isinstance(node, dict):
        return node
    if "when" in node and not all(w.holds(scope) for w in _conditions(node["when"], "when")):
        return MISSING
    if "each" in node:
        return _each(node, scope)
    return _object(node, scope)


def _object(node: dict[str, Any], scope: Scope) -> Any:
    made: dict[str, Any] = {}
    lacks, has = False, False
    for name, part in node.items():
        if name == "when":
            continue
        found = apply(part, scope)
        if found is MISSING:
            lacks = True
            continue
        made[name] = found
        has = has or not isinstance(part, str) or "$" in part
    return MISSING if lacks and not has else made


def _list(node: list[Any], scope: Scope) -> Any:
    made: list[Any] = []
    for part in node:
        found = apply(part, scope)
        if found is MISSING:
            continue
        is_each = isinstance(part, dict) and "each" in part
        made += found if is_each else [found]
    return made if made or not node else MISSING


def _each(node: dict[str, Any], scope: Scope) -> Any:
    items = expressions.value_of(node["each"], scope)
    if items is MISSING:
        return MISSING
    if not isinstance(items, list):
        raise Unmapped("value_unfit", "it is no list", node["each"])
    if len(items) > ITEMS_MAX:
        raise Unmapped("value_unfit", f"it has more than {ITEMS_MAX} items", node["each"])
    made = [apply(node["item"], scope.of_item(item, i)) for i, item in enumerate(items, 1)]
    return [one for one in made if one is not MISSING]


def _conditions(node: Any, place: str) -> list[When]:
    from hub.domain.documents import convert

    try:
        return convert(node, list[When])
    except BadDocument as bad:
        raise BadDocument(bad.reason, f"{place}{bad.field.removeprefix('$')}") from None
