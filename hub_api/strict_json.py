"""JSON that means one thing only: what other parsers would read differently or choke on is refused.

Duplicate keys, NaN and Infinity, NUL, lone surrogates, numbers beyond 64 bits, too deep nesting.
Not here: what the fields mean.
"""

import json
import re
from typing import Any, NoReturn

from hub_api.limits import JSON_DEPTH_MAX
from hub_api.problems import Fault

INTEGER_MAX = 2**63 - 1
# A key repeated in a fault's path is only a name for a person to find it.
KEY_SHOWN_LENGTH = 40
_UNSAFE = re.compile(r"[\x00\ud800-\udfff]")


class BadJsonError(ValueError):
    """The text is not strict JSON; `fault` says where and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = Fault(field, reason)


def utf8(body: bytes) -> str:
    """The body as text."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadJsonError("$", f"the bytes at {error.start} are not UTF-8") from None


def parse(text: str) -> Any:
    """The value of strict JSON text. BadJsonError names the place and the reason."""
    if not text.strip():
        raise BadJsonError("$", "it is empty")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except BadJsonError:
        raise
    except json.JSONDecodeError as error:
        raise BadJsonError("$", f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise BadJsonError("$", f"it is nested deeper than {JSON_DEPTH_MAX} levels") from None
    except ValueError:
        # The parser's own limit of 4,300 digits.
        raise BadJsonError("$", "a number has too many digits") from None
    _check(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise BadJsonError("$", f"the key {_shown(twice)} stands twice in one object")
    return values


def _no_constant(name: str) -> NoReturn:
    raise BadJsonError("$", f"{name} is not JSON")


def _check(root: Any) -> None:
    """Walk all values without recursion: nesting, numbers, characters."""
    pending: list[tuple[str, int, Any]] = [("$", 1, root)]
    while pending:
        path, depth, value = pending.pop()
        if isinstance(value, str):
            _check_text(path, value)
        elif isinstance(value, dict):
            _check_depth(path, depth)
            for key, item in value.items():
                _check_text(path, key)
                pending.append((f"{path}.{_shown(key)}", depth + 1, item))
        elif isinstance(value, list):
            _check_depth(path, depth)
            pending += [(f"{path}[{i}]", depth + 1, item) for i, item in enumerate(value)]
        elif isinstance(value, int) and not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise BadJsonError(path, "the number is beyond 64 bits")
        elif isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise BadJsonError(path, "the number is too large")


def _check_depth(path: str, depth: int) -> None:
    if depth > JSON_DEPTH_MAX:
        raise BadJsonError(path, f"it is nested deeper than {JSON_DEPTH_MAX} levels")


def _check_text(path: str, text: str) -> None:
    found = _UNSAFE.search(text)
    if found:
        what = "NUL" if found[0] == "\x00" else "half of a surrogate pair"
        raise BadJsonError(path, f"the text holds {what}")


def _shown(key: str) -> str:
    """A key for a path: what is not printable ASCII is escaped, what is long is cut."""
    return key[:KEY_SHOWN_LENGTH].encode("ascii", "backslashreplace").decode()
