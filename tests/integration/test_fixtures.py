"""The shared servers of a test run."""

from typing import Any

import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from hub.domain.topics import Topic
from hub.testing import Database


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_database_of_its_own(database: Database, turn: int) -> None:
    with psycopg.connect(database.dsn("owner"), autocommit=True) as connection:
        connection.execute("create table only_mine (turn int)")
        connection.execute("insert into only_mine values (%s)", [turn])
        assert connection.execute("select turn from only_mine").fetchall() == [(turn,)]


def test_the_reader_of_a_fresh_database_may_not_make_tables(database: Database) -> None:
    with (
        psycopg.connect(database.dsn("reader")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("create table public.mine (id int)")


async def test_an_event_goes_through_the_shared_broker(topics: Any) -> None:
    name = topics.create(Topic("orders", "order number", partitions=2))
    producer = AIOKafkaProducer(bootstrap_servers=topics.brokers.brokers)
    await producer.start()
    try:
        await producer.send_and_wait(name, b"event", key=b"key")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(
        name, bootstrap_servers=topics.brokers.brokers, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        assert (await consumer.getone()).value == b"event"
    finally:
        await consumer.stop()
