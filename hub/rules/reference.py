"""The reference of rules, made from the schema, the actions and the words of mistakes.

`python -m hub.rules.reference` writes `docs/rules-reference.md`; a test keeps it current.
"""

from collections.abc import Iterator
from pathlib import Path

from hub.domain.schema_words import fields_table, one_line, table
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
    lines = [HEAD, "## Parts / 组成\n"]
    for name, part in document.schema()["$defs"].items():
        lines.append(f"### {name}\n\n{one_line(part['description'])}\n")
        lines += fields_table(part)
    lines.append("## Actions / 动作\n")
    lines += table(("`do`", "`to`", "has to be given", "may be given"), _actions())
    lines.append("## Segments / 人群\n")
    lines += table(("segment", "who is in it"), SEGMENTS.items())
    lines.append("## Templates / 模板\n")
    lines += table(("template", "title"), _titles())
    lines.append("## Mistakes / 错误\n")
    words = ((f"`{code}`", en, zh) for code, (en, zh) in sorted(problems.WORDS.items()))
    lines += table(("code", "what is wrong and what to do", "说明"), words)
    return "\n".join(lines)


def _actions() -> Iterator[tuple[str, ...]]:
    for name, (needs_to, needed) in NEEDS.items():
        if name in UNAVAILABLE:
            continue
        either = EITHER.get(name, ())
        given = [f"`{one}`" for one in needed]
        if either:
            given.append(" or ".join(f"`{one}`" for one in either))
        others = (f"`{one}`" for one in ACCEPTS.get(name, ()) if one not in either)
        may = ", ".join(others) if name in ACCEPTS else "anything"
        yield f"`{name}`", "needed" if needs_to else "", ", ".join(given), may


def _titles() -> Iterator[tuple[str, str]]:
    for name, written in sorted(drafts.templates().items()):
        yield name, document.parse(written)[0].title


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
