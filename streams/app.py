"""The Faust app of a stream worker: a factory, and at the end the app of the settings.

Not here: what a worker does around the app (`streams.worker`), what is done with a batch
(`streams.processors`).
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import faust

from streams.transport import config as limits
from streams.transport.batch import BatchHandler
from streams.transport.config import StreamConfig
from streams.transport.driver import BatchTransport
from streams.transport.state import TransportState


def create_app(
    config: StreamConfig, handler: BatchHandler, state: TransportState | None = None
) -> faust.App:
    """An app that hands the records of `config.topics` to the handler in batches."""
    app = faust.App(
        config.group,
        broker=[f"kafka://{broker.strip()}" for broker in config.brokers.split(",")],
        store="memory://",
        # Faust makes this folder though nothing of ours is kept in it.
        datadir=str(Path(tempfile.gettempdir()) / f"hub-faust-{os.getuid()}"),
        web_enabled=False,
        # Records stay bytes: Faust acknowledges what its own serializers can't read.
        key_serializer="raw",
        value_serializer="raw",
        # No topic is made by mistyping its name.
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        broker_max_poll_records=config.poll_records,
        broker_max_poll_interval=limits.POLL_INTERVAL_MAX_S,
        broker_request_timeout=limits.REQUEST_TIMEOUT_S,
        broker_session_timeout=config.session_timeout_s,
        broker_heartbeat_interval=limits.HEARTBEAT_S,
        broker_commit_interval=max(0.5, config.commit_interval_s),
        consumer_max_fetch_size=limits.PARTITION_FETCH_BYTES_MAX,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=config.instance_id,
    )
    app.transport = BatchTransport(app, config, handler, state or TransportState())
    for topic in config.topics:
        # acks=False keeps Faust's own commits away from these topics.
        app.topics.add(app.topic(topic, acks=False))
    return app


def __getattr__(name: str) -> Any:
    """`streams.app:app`, for Faust's command line; made when asked for, as it reads settings."""
    if name != "app":
        raise AttributeError(name)
    from streams.worker import from_settings

    globals()["app"] = app = create_app(*from_settings(index=0))
    return app
