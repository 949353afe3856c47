"""Configuration: named by kind and name of the document, whoever publishes it."""

from typing import Any

from hub.domain import ids
from hub.domain.readers.base import Read, Reader


def _published(channel: str, shop: str, payload: Any) -> Read:
    subject = f"{payload.kind}/{payload.name}"
    return "config", subject, ids.catalog_id("config", subject), payload


READERS: dict[str, Reader] = {"config.published": _published}
DECIDED = frozenset(READERS)
