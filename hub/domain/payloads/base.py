"""What the payloads of all nouns are made of: ids, amounts, times, and what is personal."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

LINES_MAX = 1_000
IDENTIFIERS_MAX = 20
COMPONENTS_MAX = 50
Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(max_length=256)]
Number = Annotated[str, Meta(min_length=1, max_length=24, description="a decimal number as string")]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", description="ISO 4217")]
PersonalName = Annotated[str, Meta(max_length=256, extra_json_schema={"x-personal": True})]
PersonalId = Annotated[
    str, Meta(min_length=1, max_length=256, extra_json_schema={"x-personal": True})
]
Time = Annotated[datetime, Meta(tz=True)]
Attributes = Annotated[dict[Id, Name], Meta(max_length=50)]
FREE_TEXT = frozenset({"name", "reason", "address", "attributes", "inscription", "document"})
"""Fields that people write: line breaks are theirs to use."""
PERSONAL_PARTS = ("recipient", "recipient_phone", "recipient_email", "inscription")
"""Fields of an event about something else that tell of a person: left out once they are erased."""


class Payload(Struct, gc=False):
    """Base of all payloads."""


class Component(Payload):
    """So much of an item in one unit of a bundle."""

    sku: Id
    quantity: Number


Components = Annotated[list[Component], Meta(max_length=COMPONENTS_MAX)]
