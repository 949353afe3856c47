"""Kafka's committed offsets are compared with those stored with the data, on a running broker."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from hub.domain.topics import Topic
from hub.errors import UnreachableError
from hub.local import watermarks
from hub.settings import Settings
from hub.store import db
from hub.testing import Database, free_port

GROUP = "watermarks-test"


@pytest.mark.parametrize(("stored", "violations"), [(7, 0), (5, 0), (4, 1)])
async def test_kafka_never_passes_postgres(
    database: Database, broker: Settings, topics, stored: int, violations: int
) -> None:
    topic = topics.create(Topic("watermarks", "nothing", partitions=1))
    settings = database.settings.model_copy(update={"kafka_brokers": broker.brokers})
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.brokers, group_id=f"{GROUP}-{topic}", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.commit({TopicPartition(topic, 0): 5})
    finally:
        await consumer.stop()
    writer = await db.connect(database.dsn("writer"))
    await writer.execute(
        "insert into log.offsets (consumer_group, topic, partition, next_offset, cluster_id)"
        " values ($1, $2, 0, $3, 'c')",
        f"{GROUP}-{topic}",
        topic,
        stored,
    )
    await writer.close()
    found = await watermarks.check(settings)
    assert (found.proof, found.violations) == ("live", violations)


async def test_a_broker_that_is_away_is_said_and_not_counted(database: Database) -> None:
    away = database.settings.model_copy(update={"kafka_brokers": f"127.0.0.1:{free_port()}"})
    with pytest.raises(UnreachableError, match="Kafka"):
        await watermarks.check(away)
