"""Reading a document's text, JSON or YAML, with the line and column of each value.

YAML is read as JSON with a kinder form: no dates, no `yes`, no tags, no aliases.
"""

import math
import re
from typing import Any

import yaml
from msgspec import Struct

from hub.rules.problems import RuleInvalid, problem

TEXT_BYTES_MAX = 64 * 1024
DEPTH_MAX = 20
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?")
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
Place = tuple[int, int]


class Source(Struct, frozen=True):
    """A document as plain values, and where each stands."""

    value: Any
    places: dict[str, Place]

    def place(self, path: str) -> Place:
        """Line and column of a value, or of the nearest one around it."""
        while path not in self.places and path != "$":
            path = path[: max(path.rfind("."), path.rfind("["))] or "$"
        return self.places.get(path, (1, 1))


def read(text: str) -> Source:
    """The document in `text`. Raises `RuleInvalid`."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > TEXT_BYTES_MAX:
        raise _invalid("too_large", "$", what="the document", size=size, limit=TEXT_BYTES_MAX)
    _bound_depth(text)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        why = getattr(error, "problem", None) or type(error).__name__
        raise RuleInvalid([problem("syntax", "$", place, why=why)]) from None
    if node is None:
        raise _invalid("syntax", "$", why="it is empty")
    places: dict[str, Place] = {}
    return Source(_value(node, "$", (places, set()), 0), places)


def write(document: dict[str, Any]) -> str:
    """The document as YAML that `read` reads without loss."""
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100)


def _bound_depth(text: str) -> None:
    """Refuse brackets nested so deep that the parser itself would recurse too far."""
    depth = 0
    for sign in text:
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEPTH_MAX * 2:
            raise _invalid("too_deep", "$", limit=DEPTH_MAX)
    if any(len(line) - len(line.lstrip(" -")) > DEPTH_MAX * 8 for line in text.splitlines()):
        raise _invalid("too_deep", "$", limit=DEPTH_MAX)


def _value(node: yaml.Node, path: str, known: tuple[dict[str, Place], set[int]], depth: int) -> Any:
    places, seen = known
    places[path] = place = (node.start_mark.line + 1, node.start_mark.column + 1)
    if depth > DEPTH_MAX:
        raise _invalid("too_deep", path, place, limit=DEPTH_MAX)
    if id(node) in seen:
        raise _invalid("alias", path, place)
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _invalid("syntax", path, place, why="a key is a word")
            if key.value in found:
                raise _invalid("duplicate_key", path, place, key=key.value)
            found[key.value] = _value(value, f"{path}.{key.value}", known, depth + 1)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(v, f"{path}[{i}]", known, depth + 1) for i, v in enumerate(node.value)]
    return _scalar(node, path, place)


def _scalar(node: yaml.Node, path: str, place: Place) -> Any:
    if getattr(node, "style", None) is not None:
        return node.value
    if node.value in _CONSTANTS:
        return _CONSTANTS[node.value]
    if _NUMBER.fullmatch(node.value) is None:
        return node.value
    if node.value.lstrip("-").isdecimal():
        return int(node.value)
    number = float(node.value)
    if not math.isfinite(number):
        raise _invalid("syntax", path, place, why="the number is too large")
    return number


def _invalid(code: str, path: str, place: Place = (1, 1), **words: object) -> RuleInvalid:
    return RuleInvalid([problem(code, path, place, **words)])
