"""Field maps: from what a fact says to what a receiver is told. Total: a value or a named failure.

Compiled once a version into functions. What a map may say is checked in `hub.rules.checking`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct

from hub.rules import conversions, expressions, fields
from hub.rules.conversions import Unfit
from hub.rules.document import Field, Lookup
from hub.rules.expressions import Expression, ExpressionFailed
from hub.rules.facts import Failure
from hub.rules.fields import MISSING

ITEMS_MAX = 1_000
PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
Tables = Mapping[str, Mapping[str, Any]]


class Context:
    """What conditions and maps read: `roots` of paths; what expressions read is made for the first
    of them, since bounding and handing it over costs more than most rules do. read: what conditions
    have read of it."""

    def __init__(self, roots: dict[str, Any]) -> None:
        self.roots = roots
        self.read: dict[Any, Any] = {}
        self._bound: Any = None

    @property
    def bound(self) -> Any:
        """For expressions. Raises `ExpressionFailed` if the fact is too large for them."""
        if self._bound is None:
            self._bound = expressions.activation(self.roots["event"], self.roots["data"])
        return self._bound

    def within(self, item: Any) -> "Context":
        """The same inside an item of a list."""
        inner = Context(self.roots | {"item": item})
        inner._bound = self._bound
        return inner


class Mapped(Struct):
    """The body, which of its quantities are changes or counts, and what failed."""

    body: dict[str, Any]
    modes: dict[str, str]
    failures: list[Failure]


Source = Callable[[Context], Any]


class Filler(Struct, frozen=True):
    """One compiled field: where its value comes from, and what it must be."""

    field: Field
    path: str
    target: tuple[str, ...]
    source: Source
    convert: Callable[[Any], Any] | None
    items: tuple["Filler", ...]


def compile_fields(
    wanted: Sequence[Field], path: str, tables: Tables, computed: Mapping[str, Expression]
) -> tuple[Filler, ...]:
    """The fields as functions. computed: the checked expressions by their place in the document."""
    return tuple(_filler(field, f"{path}[{i}]", tables, computed) for i, field in enumerate(wanted))


def apply(fillers: Sequence[Filler], context: Context) -> Mapped:
    """Fill all targets; a field that fails is named, and the others are filled all the same."""
    mapped = Mapped({}, {}, [])
    for filler in fillers:
        try:
            value = _value(filler, context, mapped)
        except (Unfit, ExpressionFailed) as failed:
            reason = f"{filler.field.target}: {failed}"
            mapped.failures.append(Failure(filler.path, failed.code, reason))
            continue
        if value is not MISSING:
            _put(mapped.body, filler.target, value)
            if filler.field.mode is not None:
                mapped.modes[filler.field.target] = filler.field.mode
    return mapped


def _filler(field: Field, path: str, tables: Tables, computed: Mapping[str, Expression]) -> Filler:
    convert = conversions.converter(field) if field.type != "list" else None
    items = compile_fields(field.items, f"{path}.items", tables, computed)
    source = _source(field, tables, computed.get(f"{path}.computed"))
    return Filler(field, path, tuple(field.target.split(".")), source, convert, items)


def _source(field: Field, tables: Tables, computed: Expression | None) -> Source:
    if field.from_ is not None:
        steps = fields.steps(field.from_)
        return lambda context: _at(context, steps)
    if computed is not None:
        return lambda context: expressions.evaluate(computed, context.bound)
    if field.lookup is not None:
        return _looked_up(field.lookup, tables)
    if field.template is not None:
        return _templated(field.template)
    constant = field.constant
    return lambda context: constant


def _looked_up(lookup: Lookup, tables: Tables) -> Source:
    table, steps = tables[lookup.table], fields.steps(lookup.key)

    def find(context: Context) -> Any:
        key = _at(context, steps)
        if key is MISSING or key is None:
            return key
        found = table.get(str(key), lookup.otherwise) if not isinstance(key, (dict, list)) else None
        if found is None:
            raise Unfit("not_in_table", f"table '{lookup.table}' has no entry for this value")
        return found

    return find


def _templated(template: str) -> Source:
    parts = PLACEHOLDER.split(template)
    steps = [fields.steps(path) for path in parts[1::2]]

    def fill(context: Context) -> Any:
        found = [_at(context, one) for one in steps]
        if any(value is MISSING for value in found):
            return MISSING
        if any(value is None for value in found):
            return None
        texts = [conversions.text(value) for value in found]
        return "".join(a + b for a, b in zip(parts[::2], [*texts, ""], strict=True))

    return fill


def _value(filler: Filler, context: Context, mapped: Mapped) -> Any:
    field = filler.field
    value = filler.source(context)
    if value is MISSING or value is None:
        return _gap(field, value)
    if filler.convert is not None:
        return filler.convert(value)
    if not isinstance(value, list) or len(value) > ITEMS_MAX:
        raise Unfit("not_a_list", f"no list of at most {ITEMS_MAX} items")
    made = []
    for place, item in enumerate(value):
        inner = apply(filler.items, context.within(item))
        mapped.failures += [
            Failure(one.path, one.code, f"item {place}: {one.reason}") for one in inner.failures
        ]
        mapped.modes |= {f"{field.target}.{name}": mode for name, mode in inner.modes.items()}
        made.append(inner.body)
    return made


def _gap(field: Field, value: Any) -> Any:
    policy = field.on_missing if value is MISSING else field.on_null
    if policy == "default" and field.default is not UNSET:
        return field.default
    if policy == "fail" and field.required:
        words = ("missing", "is not there") if value is MISSING else ("null", "is null")
        raise Unfit(words[0], f"what it is made from {words[1]}")
    return MISSING


def _at(context: Context, steps: tuple[fields.Step, ...]) -> Any:
    return fields.value_at(context.roots.get(str(steps[0])), steps[1:])


def _put(body: dict[str, Any], target: tuple[str, ...], value: Any) -> None:
    for name in target[:-1]:
        body = body.setdefault(name, {})
    body[target[-1]] = value
