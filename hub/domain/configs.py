"""The kinds of configuration, and what reads the documents of each.

A document is read before it is published, and refused with the field that is wrong. Keeping
versions: `hub.store.configs`.
"""

from collections.abc import Callable
from typing import Any

from hub.domain import (
    approvals,
    channels,
    earning,
    notices,
    overselling,
    policy,
    price_lists,
    rule_versions,
    supply,
    tier_schemes,
)
from hub.domain.documents import BadDocument, Document

KINDS: dict[str, Callable[[Document], Any]] = {
    "tier_scheme": tier_schemes.read,
    "approvals": approvals.read,
    "oversell": overselling.read,
    earning.KIND: earning.read_rates,
    price_lists.KIND: price_lists.read,
    policy.KIND: policy.read,
    notices.KIND: notices.read,
    "shop_places": supply.read_places,
    "unknown_items": supply.read_unknown_items,
    channels.KIND: channels.read,
    channels.PACK_KIND: channels.read_pack,
    rule_versions.KIND: rule_versions.read,
}
"""Kind -> what reads its documents: returns what the noun works with, or raises `BadDocument`."""


def read(kind: str, document: Document) -> Any:
    """The document as its kind reads it. BadDocument says what is wrong with it."""
    reader = KINDS.get(kind)
    if reader is None:
        known = ", ".join(sorted(KINDS))
        raise BadDocument(f"there is no configuration of kind '{kind}', but: {known}", "kind")
    return reader(document)
