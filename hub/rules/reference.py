"""The reference of rules, made from the schema, the actions and the words of mistakes.

`python -m hub.rules.reference` writes `docs/rules-reference.md`; a test keeps it current.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hub.domain.segments import SEGMENTS
from hub.rules import document, drafts, problems
from hub.rules.checking import ACCEPTS, EITHER, NEEDS, UNAVAILABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules-reference.md"
HEAD = """# Reference of sync rules / 同步规则参考

How to begin is told in [rules.md](rules.md). This page is made by `python -m hub.rules.reference`
from [rule.schema.json](../hub/rules/rule.schema.json), which editors read as well.

入门见 [rules.md](rules.md)。本页由规则的 JSON Schema 自动生成。
"""


def page() -> str:
    """The page in Markdown."""
    parts = document.schema()["$defs"]
    lines = [HEAD, "## Parts / 组成\n"]
    for name, part in parts.items():
        lines += _part(name, part)
    lines += _actions()
    lines += _table("Segments / 人群", ("segment", "who is in it"), SEGMENTS.items())
    titles = ((name, _title(written)) for name, written in sorted(drafts.templates().items()))
    lines += _table("Templates / 模板", ("template", "title"), titles)
    lines += _mistakes()
    return "\n".join(lines)


def _part(name: str, part: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}\n\n{_words(part['description'])}\n"
    yield "| field | what it is | if it is left out |\n|---|---|---|"
    needed = part.get("required", ())
    for field, schema in part["properties"].items():
        without = "needed" if field in needed else _default(schema)
        yield f"| `{field}` | {_kind(schema)} | {without} |"
    yield ""


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        known = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(_kind(one) for one in known)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    said = {
        "array": "a list",
        "object": "names with values",
        "boolean": "true or false",
        "string": "text",
        "integer": "a whole number",
    }
    kind = str(schema.get("type", "any value"))
    words = [said.get(kind, kind)]
    if "items" in schema:
        words.append(f"of {_kind(schema['items'])}")
    elif isinstance(schema.get("additionalProperties"), dict):
        words.append("that are names with values")
    if "description" in schema:
        words.append(f"({schema['description']})")
    if "maxItems" in schema:
        words.append(f"at most {schema['maxItems']}")
    if "maxLength" in schema:
        words.append(f"at most {schema['maxLength']} characters")
    if "minimum" in schema:
        words.append(f"from {schema['minimum']} to {schema['maximum']}")
    return " ".join(words)


def _default(schema: Mapping[str, Any]) -> str:
    known = schema.get("default")
    if known in (None, "", [], {}) or isinstance(known, dict):
        return ""
    return f"`{str(known).lower() if isinstance(known, bool) else known}`"


def _actions() -> Iterator[str]:
    yield "## Actions / 动作\n"
    yield "| `do` | `to` | has to be given | may be given |\n|---|---|---|---|"
    for name, (needs_to, needed) in NEEDS.items():
        if name in UNAVAILABLE:
            continue
        either = EITHER.get(name, ())
        needed_words = [*needed, *([" or ".join(f"`{one}`" for one in either)] if either else [])]
        given = ", ".join(one if " " in one else f"`{one}`" for one in needed_words)
        others = [one for one in ACCEPTS.get(name, ()) if one not in either]
        may = ", ".join(f"`{one}`" for one in others) if name in ACCEPTS else "anything"
        yield f"| `{name}` | {'needed' if needs_to else ''} | {given} | {may} |"
    yield ""


def _mistakes() -> Iterator[str]:
    yield from _table(
        "Mistakes / 错误",
        ("code", "what is wrong and what to do", "说明"),
        ((f"`{code}`", en, zh) for code, (en, zh) in sorted(problems.WORDS.items())),
    )


def _table(title: str, head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| {' | '.join(head)} |\n|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(one.replace('|', '&#124;') for one in row)} |"
    yield ""


def _title(written: str) -> str:
    return document.parse(written)[0].title


def _words(said: str) -> str:
    return " ".join(said.split())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
