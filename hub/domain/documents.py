"""Documents of configuration: strict reading, and versions by the time they are in force.

Which kinds there are is in `hub.domain.configs`, what they mean in the modules of their nouns.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

Document = dict[str, Any]
"""A document as it was published: JSON."""
_Read = TypeVar("_Read")


class BadDocument(ValueError):
    """A document that cannot be used. field: where in it, such as `$.levels[1].threshold`."""

    def __init__(self, reason: str, field: str = "$") -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class Version(Struct, Generic[_Read], frozen=True):
    """One version of a document as its kind reads it, and from when it is in force."""

    number: int
    valid_from: datetime
    document: _Read


def convert(document: Document, shape: type[_Read]) -> _Read:
    """The document in this shape. BadDocument names the field that does not fit."""
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `")
        raise BadDocument(message, path.rstrip("`") or "$") from None


def in_force(versions: Sequence[Version[_Read]], when: datetime) -> Version[_Read] | None:
    """The version in force at a time; None before the first. versions: the oldest first."""
    found = None
    for version in versions:
        if version.valid_from > when:
            break
        found = version
    return found
