"""Readers by type of event: which entity it is about, and what its payload says.

Each noun has a module with its `READERS`, and `DECIDED`: the types that only the hub decides.
Decoding and what is common to all events: `hub.domain.events`.
"""

from hub.domain.readers import (
    allotments,
    cases,
    catalog,
    configs,
    coupons,
    members,
    orders,
    points,
    segments,
    stock,
    tiers,
)
from hub.domain.readers.base import Reader

_NOUNS = (
    *(members, orders, stock, allotments, points, coupons),
    *(catalog, configs, cases, tiers, segments),
)
READERS: dict[str, Reader] = {
    name: reader for noun in _NOUNS for name, reader in noun.READERS.items()
}
DECIDED_TYPES = frozenset(name for noun in _NOUNS for name in noun.DECIDED)
"""Types that only the hub decides; it may decide others as well, such as a redemption."""
NAMED_BY: dict[str, str] = orders.NAMED_BY
"""Types of events whose entity is named by a field of the payload, as it stands there."""
