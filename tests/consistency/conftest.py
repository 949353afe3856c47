"""Fixtures of the consistency tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import streams_events, streams_upsert
from hub.settings import Settings
from hub.testing import Database
from tests.consistency.transport_stage import PARTITIONS, Stage, run_apart


@pytest.fixture
def stage(broker: Settings, database: Database, topics: Any, tmp_path: Path) -> Iterator[Stage]:
    """A fresh topic and database; all workers end with the test."""
    topic = topics.name("orders")
    run_apart(streams_events.make_topic(broker.brokers, topic, PARTITIONS))
    ready = Stage(broker.brokers, database, topic, tmp_path)
    ready.execute(streams_upsert.SCHEMA)
    try:
        yield ready
    finally:
        ready.end()
