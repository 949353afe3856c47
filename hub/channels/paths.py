"""Where a value stands: `$.order.items[0].sku`, `$item.num`, `$setting.app_id`.

`$` alone is the message's data; the other roots are named by `ROOTS`. What is done with a value is
in `hub.channels.expressions`.
"""

import re
from functools import lru_cache
from typing import Any

from msgspec import Struct

from hub.domain.documents import BadDocument

ROOTS = {
    "message": "what the message says; `$.x` is short for it",
    "envelope": "the body around it, after decryption",
    "detail": "what was fetched by the message's id",
    "item": "the item of the list that `each` walks over",
    "index": "its number, from 1",
    "setting": "what the channel's configuration says",
    "shop": "the shop of the address",
    "channel": "the channel's name",
    "id": "the message's id",
    "header": "a header, its name in small letters",
    "query": "a parameter of the address",
    "answer": "what the hub answered a question with, or a platform a call",
    "code": "the code of the voucher that is verified",
    "use": "the id of its use, the same in all calls",
    "place": "where it is used",
    "order": "the order it is used on",
    "prepared": "the result of preparing",
    "since": "the time from which a list is asked for",
    "until": "the time until which it is",
    "page": "the number of the page that is asked for, from 1",
    "next": "what the page before said of the next",
    "secret": "the channel's newest secrets by name, in the call for a token only",
    "kept": "what was kept of the answer with the token before",
}
STEPS_MAX = 12
_PATH = re.compile(r"\$([a-z]*)((?:\.[^\s.\[\](){}|?]+|\[[0-9]{1,4}\])*)")
_STEP = re.compile(r"\.([^.\[]+)|\[([0-9]+)\]")


class Missing:
    """Nothing stands there."""


MISSING = Missing()


class Path(Struct, frozen=True):
    """A root and the steps from it: names of fields, or places in a list from 0."""

    root: str
    steps: tuple[str | int, ...]

    def __str__(self) -> str:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)
        return f"${'' if self.root == 'message' else self.root}{''.join(steps)}"


@lru_cache(maxsize=4096)
def parse(text: str) -> Path:
    """The path that is written so. BadDocument if it is none."""
    found = _PATH.fullmatch(text)
    if found is None:
        raise BadDocument(f"'{text}' is no path such as $.order.items[0].sku")
    root = found[1] or "message"
    if root not in ROOTS:
        raise BadDocument(f"'${root}' is not known: use one of {', '.join('$' + r for r in ROOTS)}")
    steps = tuple(name or int(place) for name, place in _STEP.findall(found[2]))
    if len(steps) > STEPS_MAX:
        raise BadDocument(f"'{text}' has more than {STEPS_MAX} steps")
    return Path(root, steps)


def find(path: Path, roots: dict[str, Any]) -> Any:
    """The value at a path, or MISSING. Null and empty text are missing: platforms send them so."""
    value = roots.get(path.root, MISSING)
    for step in path.steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else MISSING
        else:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
    return MISSING if value is None or value == "" else value
