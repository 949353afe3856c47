"""The console's words: each text in both languages, and none missing that a page asks for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CONSOLE = Path(__file__).parents[2] / "console" / "src"
PLURALS = re.compile(r"_(zero|one|other)$")
ASKED = re.compile(r"""\bt\(\s*"([^"$]+)"[,)\s]""")


def words(language: str) -> dict[str, str]:
    """Key -> text; what differs by number has one key."""

    def flat(found: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
        for name, value in found.items():
            if isinstance(value, dict):
                yield from flat(value, f"{above}{name}.")
            else:
                yield PLURALS.sub("", above + name), value

    text = (CONSOLE / "words" / f"{language}.json").read_text("utf-8")
    return dict(flat(json.loads(text)))


def test_no_text_is_left_untranslated() -> None:
    chinese, english = words("zh"), words("en")
    assert sorted(chinese.keys() ^ english.keys()) == []
    assert [key for key, text in (chinese | english).items() if not text.strip()] == []


def test_every_text_that_a_page_asks_for_exists() -> None:
    known = words("zh")
    asked = {
        (page.name, key)
        for page in CONSOLE.rglob("*.tsx")
        for key in ASKED.findall(page.read_text("utf-8"))
    }
    assert len(asked) > 100
    assert sorted((page, key) for page, key in asked if PLURALS.sub("", key) not in known) == []
