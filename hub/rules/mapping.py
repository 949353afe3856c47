"""Field maps: from what a fact says to what a receiver is told. Total: a value or a named failure.

Compiled once a version into functions. What a map may say is checked in `hub.rules.checking`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET, Struct

from hub.rules import conversions, expressions, fields, readings
from hub.rules.conversions import Unfit
from hub.rules.document import Field, Lookup
from hub.rules.expressions import Expression, ExpressionFailed
from hub.rules.facts import Failure
from hub.rules.fields import MISSING
from hub.rules.readings import Context, Reading

ITEMS_MAX = 1_000
PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
Tables = Mapping[str, Mapping[str, Any]]


class Mapped(Struct, gc=False):
    """The body, which of its quantities are changes or counts, and what failed."""

    body: dict[str, Any]
    modes: dict[str, str]
    failures: list[Failure]


class Filler(Struct, frozen=True):
    """One compiled field: what reads its value, converted but for lists. name: of a target that
    lies in no other."""

    field: Field
    path: str
    target: tuple[str, ...]
    name: str | None
    read: Reading
    items: tuple["Filler", ...]


def compile_fields(
    wanted: Sequence[Field], path: str, tables: Tables, computed: Mapping[str, Expression]
) -> tuple[Filler, ...]:
    """The fields as functions. computed: the checked expressions by their place in the document."""
    return tuple(_filler(field, f"{path}[{i}]", tables, computed) for i, field in enumerate(wanted))


def apply(fillers: Sequence[Filler], context: Context) -> Mapped:
    """Fill all targets; a field that fails is named, and the others are filled all the same."""
    mapped = Mapped({}, {}, [])
    body = mapped.body
    for filler in fillers:
        field = filler.field
        try:
            value = filler.read(context)
            if value is MISSING or value is None:
                value = _gap(field, value)
            elif field.type == "list":
                value = _list(filler, value, context, mapped)
        except (Unfit, ExpressionFailed) as failed:
            reason = f"{field.target}: {failed}"
            mapped.failures.append(Failure(filler.path, failed.code, reason))
            continue
        if value is not MISSING:
            if filler.name is not None:
                body[filler.name] = value
            else:
                _put(body, filler.target, value)
            if field.mode is not None:
                mapped.modes[field.target] = field.mode
    return mapped


def _filler(field: Field, path: str, tables: Tables, computed: Mapping[str, Expression]) -> Filler:
    items = compile_fields(field.items, f"{path}.items", tables, computed)
    read = _reading(field, tables, computed.get(f"{path}.computed"))
    target = tuple(field.target.split("."))
    return Filler(field, path, target, target[0] if len(target) == 1 else None, read, items)


def _reading(field: Field, tables: Tables, computed: Expression | None) -> Reading:
    convert = _as_it_is
    if field.type != "list":
        convert = conversions.converter(conversions.form(field))
    if field.from_ is not None:
        return readings.converted(fields.steps(field.from_), convert)
    source = _source(field, tables, computed)

    def read(context: Context) -> Any:
        value = source(context)
        return value if value is MISSING or value is None else convert(value)

    return read


def _as_it_is(value: Any) -> Any:
    return value


def _source(field: Field, tables: Tables, computed: Expression | None) -> Reading:
    if computed is not None:
        return lambda context: expressions.evaluate(computed, context.bound)
    if field.lookup is not None:
        return _looked_up(field.lookup, tables)
    if field.template is not None:
        return _templated(field.template)
    constant = field.constant
    return lambda context: constant


def _looked_up(lookup: Lookup, tables: Tables) -> Reading:
    table, at = tables[lookup.table], fields.reader(fields.steps(lookup.key))

    def find(context: Context) -> Any:
        key = at(context.roots)
        if key is MISSING or key is None:
            return key
        found = table.get(str(key), lookup.otherwise) if not isinstance(key, (dict, list)) else None
        if found is None:
            raise Unfit("not_in_table", f"table '{lookup.table}' has no entry for this value")
        return found

    return find


def _templated(template: str) -> Reading:
    parts = PLACEHOLDER.split(template)
    readers = [fields.reader(fields.steps(path)) for path in parts[1::2]]

    def fill(context: Context) -> Any:
        found = [at(context.roots) for at in readers]
        if any(value is MISSING for value in found):
            return MISSING
        if any(value is None for value in found):
            return None
        texts = [conversions.text(value) for value in found]
        return "".join(a + b for a, b in zip(parts[::2], [*texts, ""], strict=True))

    return fill


def _list(filler: Filler, value: Any, context: Context, mapped: Mapped) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > ITEMS_MAX:
        raise Unfit("not_a_list", f"no list of at most {ITEMS_MAX} items")
    made = []
    for place, item in enumerate(value):
        inner = apply(filler.items, context.within(item))
        mapped.failures += [
            Failure(one.path, one.code, f"item {place}: {one.reason}") for one in inner.failures
        ]
        for name, mode in inner.modes.items():
            mapped.modes[f"{filler.field.target}.{name}"] = mode
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


def _put(body: dict[str, Any], target: tuple[str, ...], value: Any) -> None:
    for name in target[:-1]:
        body = body.setdefault(name, {})
    body[target[-1]] = value
