"""JSON Schemas in words, for the reference pages that are made from them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]


def fields_table(schema: Schema, *, linked: bool = True) -> Iterator[str]:
    """The fields of an object as a table. linked: objects are described on the same page."""
    yield "| field | what it is | if it is left out |\n|---|---|---|"
    needed = schema.get("required", ())
    for field, kind in schema["properties"].items():
        without = "needed" if field in needed else default(kind)
        yield f"| `{field}` | {kind_of(kind, linked=linked)} | {without} |"
    yield ""


def kind_of(schema: Schema, *, linked: bool = True) -> str:
    """What may stand there."""
    if "anyOf" in schema:
        known = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(kind_of(one, linked=linked) for one in known)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if linked else name
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    return " ".join(_words(schema, linked=linked))


def default(schema: Schema) -> str:
    """What is meant where nothing stands."""
    known = schema.get("default")
    if known in (None, "", [], {}) or isinstance(known, dict):
        return ""
    return f"`{str(known).lower() if isinstance(known, bool) else known}`"


def table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(one.replace('|', '&#124;') for one in row)} |"
    yield ""


def one_line(said: str) -> str:
    """Words without their line breaks."""
    return " ".join(said.split())


def _words(schema: Schema, *, linked: bool) -> Iterator[str]:
    said = {
        "array": "a list",
        "object": "names with values",
        "boolean": "true or false",
        "string": "text",
        "integer": "a whole number",
    }
    kind = str(schema.get("type", "any value"))
    yield said.get(kind, kind)
    if "items" in schema:
        yield f"of {kind_of(schema['items'], linked=linked)}"
    elif isinstance(schema.get("additionalProperties"), dict):
        yield f"that are {kind_of(schema['additionalProperties'], linked=linked)}"
    if "description" in schema:
        yield f"({schema['description']})"
    if "maxItems" in schema:
        yield f"at most {schema['maxItems']}"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
    if "minimum" in schema and "maximum" in schema:
        yield f"from {schema['minimum']} to {schema['maximum']}"
    if schema.get("x-personal"):
        yield "(personal)"
