"""What Kafka says of the workers' places, beside what Postgres has: shown by a running hub only.

The streams commit to Kafka what the transaction has stored, never more.
"""

import asyncpg

from hub.errors import UnreachableError
from hub.settings import Settings
from hub.store.check import CheckResult

NAME = "kafka_never_passes_postgres"
REQUEST_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_S = 10
SAMPLE_ROWS_MAX = 20
STORED = "select consumer_group, topic, partition, next_offset from log.offsets"


async def check(settings: Settings) -> CheckResult:
    """The partitions where Kafka's committed offset is past the stored one.

    Raises `UnreachableError` if Kafka does not answer.
    """
    committed = await _committed(settings)
    # Read after Kafka: what was stored meanwhile can only be further.
    connection = await asyncpg.connect(settings.dsn("reader"), timeout=CONNECT_TIMEOUT_S)
    try:
        rows = await connection.fetch(STORED)
    finally:
        await connection.close()
    stored = {(r["consumer_group"], r["topic"], r["partition"]): r["next_offset"] for r in rows}
    past = [
        {"group": at[0], "topic": at[1], "partition": at[2], "committed": n, "stored": stored[at]}
        for at, n in committed.items()
        if at in stored and n > stored[at]
    ]
    return CheckResult(NAME, "live", len(past), past[:SAMPLE_ROWS_MAX])


async def _committed(settings: Settings) -> dict[tuple[str, str, int], int]:
    """(group, topic, partition) -> the offset committed to Kafka."""
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(
        bootstrap_servers=settings.brokers, request_timeout_ms=REQUEST_TIMEOUT_MS
    )
    try:
        await admin.start()
        groups = [group for group, _ in await admin.list_consumer_groups()]
        found: dict[tuple[str, str, int], int] = {}
        for group in groups:
            offsets = await admin.list_consumer_group_offsets(group)
            found |= {(group, tp.topic, tp.partition): one.offset for tp, one in offsets.items()}
        return found
    except (KafkaError, OSError) as error:
        raise UnreachableError(f"Kafka: {error}", mend="start it: hub up") from error
    finally:
        await admin.close()
