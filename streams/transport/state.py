"""What the transport lets others see: readiness, the watchdog and the metrics read it.

Plain attributes, replaced whole, so that another thread may read them. Not here: judging them
(`streams.watchdog`, `streams.health`).
"""

from dataclasses import dataclass, field

from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

# Keys of `TransportState.trouble`, beside the lanes' names.
BEGINNING = "beginning"
FAILED_LANE = "failed lane"
# A write is meant to take about 50 ms; the buckets are finest there.
WRITE_MS_BUCKETS = (1, 2, 3, 5, 8, 12, 20, 35, 50, 75, 100, 150, 250, 500, 1000, 5000)


class Metrics:
    """The worker's numbers, each in its own registry so that tests can have several."""

    def __init__(self) -> None:
        """All at zero."""
        self.registry = CollectorRegistry()
        add = {"registry": self.registry, "namespace": "hub_streams"}
        self.batches = Counter("batches", "Batches stored", **add)
        self.events = Counter("events", "Events stored", ["topic"], **add)
        self.retries = Counter("store_retries", "Writes that failed and were tried again", **add)
        self.fenced = Counter("fenced", "Writes refused since another worker was first", **add)
        self.rereads = Counter("rereads", "Seeks back since records were missing", **add)
        self.gaps = Counter("gaps", "Gaps found to be in the log itself", **add)
        self.write_ms = Histogram(
            "write_ms", "From the start of a write to after COMMIT", buckets=WRITE_MS_BUCKETS, **add
        )
        self.lag = Gauge("lag", "Events not yet stored", ["topic", "partition"], **add)
        self.refused = Gauge("refused_partitions", "Partitions refused: see the log", **add)
        self.assigned = Gauge("assigned_partitions", "Partitions of this worker", **add)


@dataclass
class TransportState:
    """What is going on in the transport of one worker."""

    metrics: Metrics = field(default_factory=Metrics)
    # Whether the group gave us an assignment (maybe an empty one) and the flow is open.
    is_consuming: bool = False
    assigned: frozenset[TopicPartition] = frozenset()
    # Partition -> why it is not read.
    refused: dict[TopicPartition, str] = field(default_factory=dict)
    # Partition -> up to where it is done.
    reached: dict[TopicPartition, int] = field(default_factory=dict)
    # What is being retried -> the error it met; empty when all is well.
    trouble: dict[str, str] = field(default_factory=dict)
    # Since when the group, or the start, has kept us from reading.
    rebalancing_since: float | None = None

    def clear_lanes(self) -> None:
        """The lanes of a tenure are gone, and their trouble with them."""
        kept = (BEGINNING, FAILED_LANE)
        self.trouble = {where: self.trouble[where] for where in kept if where in self.trouble}

    def problems(self) -> list[str]:
        """Why the worker is not ready, in words; empty when it is."""
        found = [] if self.is_consuming else ["not consuming yet"]
        found += [f"{tp.topic}/{tp.partition}: {why}" for tp, why in self.refused.items()]
        return found + [f"{where}: {what}" for where, what in self.trouble.items()]
