"""What events of configuration carry."""

from typing import Any

from hub.domain.payloads.base import Id, Name, Payload, Time


class ConfigPublished(Payload):
    """config.published: a new version of a document, in force from `valid_from`, or at once."""

    kind: Id
    name: Id
    document: dict[str, Any]
    reason: Name
    valid_from: Time | None = None


TYPES: dict[str, type[Payload]] = {
    "config.published": ConfigPublished,
}
