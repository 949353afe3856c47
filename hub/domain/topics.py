"""The topics of the hub: names, partitions, how long Kafka keeps them.

Not here: what an event holds (`hub.domain.events`), and who makes topics (`hub.local.kafka`).
"""

from dataclasses import dataclass

from hub.domain.readers import DECIDED_TYPES

DAY_MS = 24 * 60 * 60 * 1000
# Partitions bound how many workers share a topic. More can be added; keys then move, which
# is safe here since state is a fold of the entity's events in any order.
PARTITIONS_DEFAULT = 4
# Schema `log` keeps everything; Kafka only has to outlive the longest outage of the workers.
RETENTION_MS_DEFAULT = 7 * DAY_MS


@dataclass(frozen=True)
class Topic:
    """One topic. Every event in it has the key `keyed_by`."""

    name: str
    keyed_by: str
    partitions: int = PARTITIONS_DEFAULT
    retention_ms: int = RETENTION_MS_DEFAULT


MEMBERS = "commerce.members.v1"
ORDERS = "commerce.orders.v1"
INVENTORY = "commerce.inventory.v1"
POINTS = "commerce.points.v1"
COUPONS = "commerce.coupons.v1"
CATALOG = "commerce.catalog.v1"
INBOUND = "channel.inbound.v1"
FACTS = "hub.facts.v1"
DEAD_LETTERS = "hub.dead-letters.v1"

# What channels may post, and the stream workers read.
COMMERCE = (MEMBERS, ORDERS, INVENTORY, POINTS, COUPONS, CATALOG)

TOPICS = (
    Topic(MEMBERS, "account"),
    Topic(ORDERS, "order number"),
    Topic(INVENTORY, "SKU"),
    Topic(POINTS, "account"),
    Topic(COUPONS, "coupon code"),
    Topic(CATALOG, "SKU or place"),
    Topic(INBOUND, "channel and entity"),
    Topic(FACTS, "entity id"),
    # A dead letter waits for a person: longer than a holiday.
    Topic(DEAD_LETTERS, "source and event id", partitions=1, retention_ms=30 * DAY_MS),
)

_TOPIC_BY_NOUN = {
    "member": MEMBERS,
    "order": ORDERS,
    "return": ORDERS,
    "refund": ORDERS,
    "payment": ORDERS,
    "aftersale": ORDERS,
    "stock": INVENTORY,
    "capacity": INVENTORY,
    "allotment": INVENTORY,
    "session": INVENTORY,
    "points": POINTS,
    "coupon": COUPONS,
    "item": CATALOG,
    "place": CATALOG,
}


def topic_of(event_type: str) -> str:
    """The topic that events of this type go to."""
    if event_type in DECIDED_TYPES:
        return FACTS
    return _TOPIC_BY_NOUN[event_type.partition(".")[0]]
