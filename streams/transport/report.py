"""Tells Faust's monitor, the metrics and the watchdog what went on, once a batch.

Not here: what they make of it (`streams.health`, `streams.watchdog`).
"""

import time
from collections.abc import Mapping
from typing import cast

from aiokafka import TopicPartition
from faust.types import TP, AppT

from streams.transport.batch import Batch
from streams.transport.state import FAILED_LANE, TransportState


class Report:
    """The transport's voice."""

    def __init__(self, app: AppT, state: TransportState) -> None:
        """One for each worker."""
        self._app = app
        self._state = state

    def stored(self, batch: Batch, took_ms: float) -> None:
        """A batch is in Postgres."""
        now, monitor, metrics = time.monotonic(), self._app.monitor, self._state.metrics
        for part in batch.slices:
            count, tp = len(part.records), cast(TP, part.tp)
            monitor.messages_received_total += count
            monitor.messages_received_by_topic[tp.topic] += count
            monitor.events_total += count
            monitor.tp_read_offsets[tp] = part.next_offset - 1
            monitor.stream_inbound_time[tp] = now
            metrics.events.labels(tp.topic).inc(count)
            self._state.reached[part.tp] = part.next_offset
        metrics.batches.inc()
        metrics.write_ms.observe(took_ms)
        self._state.trouble.pop(FAILED_LANE, None)

    def lag(self, tp: TopicPartition, end: int, reached: int) -> None:
        """Where the log ends, and up to where it is stored."""
        self._app.monitor.track_tp_end_offset(cast(TP, tp), end)
        self._state.metrics.lag.labels(tp.topic, tp.partition).set(max(0, end - reached))

    def assigned(self, ours: set[TopicPartition]) -> None:
        """The group gave us these."""
        self._state.assigned = frozenset(ours)
        self._state.metrics.assigned.set(len(ours))

    def refused(self, refused: Mapping[TopicPartition, str]) -> None:
        """These are not read, for these reasons; all others are."""
        self._state.refused = dict(refused)
        self._state.metrics.refused.set(len(refused))
