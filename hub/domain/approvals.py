"""Approvals: above which limit a second person has to agree. Pure.

The limits are configuration of kind `approvals`, a document for each of `LEDGERS`.
"""

from typing import Annotated

from msgspec import Meta, Struct

from hub.domain.documents import Document, convert


class Limit(Struct, frozen=True, forbid_unknown_fields=True):
    """Up to `limit` one person decides: points, or minor units of money."""

    limit: Annotated[int, Meta(ge=0)]


def read(document: Document) -> Limit:
    """A limit from its document."""
    return convert(document, Limit)
