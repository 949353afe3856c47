"""What an event says to others: its CloudEvent as it came, to the byte of its data. Pure.

What of it others may see is decided before (`hub.store.outbox`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.domain import decisions
from hub.domain.events import SOURCE

TRACEPARENT = "traceparent"
_BINARY = "ce_"
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def cloud_event(headers: Sequence[Sequence[str]] | None, body: bytes) -> dict[str, Any]:
    """The attributes of an event of the log, those of its channel's own too, and its data.

    headers: of its record, in binary mode with the attributes. Values of a structured event stay
    as they were written, so that no digit of a number is lost.
    """
    attributes = {
        name.removeprefix(_BINARY): value
        for name, value in headers or ()
        if name.startswith(_BINARY)
    }
    if "specversion" in attributes:
        said: dict[str, Any] = {**attributes, "data": msgspec.Raw(body)}
    else:
        said = dict(_split(body))
    traced = traceparent_of(headers)
    return said if traced is None or TRACEPARENT in said else {**said, TRACEPARENT: traced}


def data_of(said: dict[str, Any]) -> dict[str, Any]:
    """The data within a record's decoded body: in binary mode the body is the data alone."""
    return said["data"] if "specversion" in said else said


def is_binary(headers: Sequence[Sequence[str]] | None) -> bool:
    """Whether a record's headers hold its attributes, and its body the data alone."""
    return any(name == "ce_specversion" for name, _ in headers or ())


def traceparent_of(headers: Sequence[Sequence[str]] | None) -> str | None:
    """Of which trace (W3C) a record's headers say it is."""
    for wanted in (f"{_BINARY}{TRACEPARENT}", TRACEPARENT):
        for name, value in headers or ():
            if name == wanted:
                return value
    return None


def channel_of(source: str, said: Mapping[str, Any]) -> str | None:
    """For or by which channel it happened; None for what concerns the house."""
    if source != decisions.SOURCE:
        parts = SOURCE.fullmatch(source)
        return parts[1] if parts else None
    return text_of(said, "channel") or None


def text_of(said: Mapping[str, Any], name: str) -> str | None:
    """An attribute of what is said, if it is a text."""
    found = said.get(name)
    if isinstance(found, msgspec.Raw):
        found = msgspec.json.decode(found)
    return found if isinstance(found, str) else None


def position_text(position: tuple[int, int]) -> str:
    """A fact's place in the order of all facts, as others see it."""
    return f"{position[0]}-{position[1]}"


def read_position(text: str) -> tuple[int, int]:
    """What `position_text` wrote. ValueError if it did not."""
    xid, dash, outbox_id = text.partition("-")
    if not (dash and all(part.isascii() and part.isdigit() for part in (xid, outbox_id))):
        raise ValueError("no position of a fact")
    position = int(xid), int(outbox_id)
    if max(position) >= 2**63:
        raise ValueError("no position of a fact")
    return position
