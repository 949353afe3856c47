"""The reference of events, made from their schemas.

`python -m hub.domain.reference` writes `docs/events.md`; a test keeps it current.
"""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from hub.domain import payloads, readers, schemas, topics
from hub.domain.schema_words import fields_table, one_line

PAGE = Path(__file__).resolve().parents[2] / "docs" / "events.md"
HEAD = """# Reference of events / 事件参考

How events are posted is told in [api.md](api.md#posting-events). This page is made by
`python -m hub.domain.reference` from the schemas that `/asyncapi.json` serves, which has an example
of each type, too. Amounts and quantities are decimal text, times RFC 3339 with their zone. Fields
that are not named here are kept with the event and ignored.

事件的发送方式见 [api.md](api.md)。本页由 JSON Schema 自动生成;示例见 `/asyncapi.json`。
金额与数量为十进制字符串,时间须带时区。
"""


def page() -> str:
    """The page in Markdown."""
    lines = [HEAD]
    objects: dict[str, Any] = {}
    for noun, types in groupby(sorted(payloads.BY_TYPE), key=lambda name: name.partition(".")[0]):
        lines.append(f"## {noun}\n")
        for event_type in types:
            lines += _event(event_type, objects)
    lines.append("## Objects / 对象\n")
    for name, schema in sorted(objects.items()):
        lines.append(f"### {name}\n")
        if words := schema.get("description"):
            lines.append(f"{one_line(words)}\n")
        lines += fields_table(schema)
    return "\n".join(lines)


def _event(event_type: str, objects: dict[str, Any]) -> Iterator[str]:
    schema = schemas.event_schema(event_type)
    parts = schema["$defs"]
    payload = parts.pop(schema["properties"]["data"]["$ref"].rpartition("/")[2])
    objects |= {name: part for name, part in parts.items() if "properties" in part}
    yield f"### {event_type}\n"
    if event_type in readers.DECIDED_TYPES:
        yield "Decided by the hub. 由中台产生。"
    else:
        yield f"Topic `{topics.topic_of(event_type)}`."
    yield f"{one_line(schema['description'])}\n"
    yield from fields_table(payload)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
