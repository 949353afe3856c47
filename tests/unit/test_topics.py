"""The names channels lean on."""

from hub.domain import topics


def test_topics_have_the_names_of_the_contract() -> None:
    assert [topic.name for topic in topics.TOPICS] == [
        *(f"commerce.{noun}.v1" for noun in ("members", "orders", "inventory", "points")),
        *("commerce.coupons.v1", "commerce.catalog.v1"),
        *("channel.inbound.v1", "hub.facts.v1", "hub.dead-letters.v1"),
    ]


def test_commerce_topics_have_the_same_partitions() -> None:
    counts = {topic.partitions for topic in topics.TOPICS if topic.name in topics.COMMERCE}
    assert counts == {topics.PARTITIONS_DEFAULT}
