"""The API's own figures for Prometheus. Labels are route templates, never paths or values."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Figures:
    """One app's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "hub_api_requests",
            "Requests answered",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "hub_api_request_seconds",
            "From request to last byte of the answer",
            ("route",),
            buckets=_BUCKETS_S,
            registry=self.registry,
        )
        self.running = Gauge(
            "hub_api_requests_running", "Requests being answered now", registry=self.registry
        )
        self.accepted = Counter(
            "hub_api_events_accepted",
            "Events that Kafka confirmed",
            ("topic",),
            registry=self.registry,
        )
        self.refused = Counter(
            "hub_api_posts_refused",
            "Posts of events that were refused, by problem",
            ("problem",),
            registry=self.registry,
        )

    def text(self) -> bytes:
        """All figures in Prometheus's text format."""
        return generate_latest(self.registry)
