"""`python -m benchmarks.streams_worker`: a stream worker with the simple upsert.

The benchmark measures it and the consistency tests kill it. Not here: the handler
(`benchmarks.streams_upsert`).
"""

import argparse
import logging
import sys
from typing import Any

from benchmarks.streams_meter import Meter, end_this_process
from benchmarks.streams_upsert import Columns, UpsertHandler
from streams.transport.batch import Batch
from streams.transport.config import SESSION_TIMEOUT_S, StreamConfig
from streams.worker import LOG_FORMAT, run


class MeasuredHandler(UpsertHandler):
    """The simple upsert with the clock in it; ends the worker after so many events."""

    def __init__(self, dsn: str, group: str, connections: int, events: int) -> None:
        """`events`: how many there are to come."""
        super().__init__(dsn, group, connections)
        self._meter = Meter(events)

    def decode(self, batch: Batch) -> Columns:
        """Start the clock at the first batch."""
        self._meter.begin()
        return super().decode(batch)

    async def store(self, decoded: Columns, batch: Batch) -> None:
        """Count what is in Postgres."""
        await super().store(decoded, batch)
        if self._meter.stored(batch.size):
            end_this_process()


def parse() -> dict[str, Any]:
    """The worker's arguments, named as `StreamConfig` and the handlers name them."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("brokers", "topics", "dsn", "group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--index", type=int, default=0)
    parser.add_argument("--poll-records", type=int, default=StreamConfig.poll_records)
    parser.add_argument("--write-records", type=int, default=StreamConfig.write_records)
    parser.add_argument("--writers", type=int, default=StreamConfig.writers)
    parser.add_argument("--linger-ms", type=int, default=StreamConfig.linger_ms)
    parser.add_argument("--session-timeout-s", type=float, default=SESSION_TIMEOUT_S)
    parser.add_argument("--health-port", type=int, default=None)
    parser.add_argument("--events", type=int, default=0)
    options = vars(parser.parse_args())
    options["topics"] = tuple(options["topics"].split(","))
    return options


def serve() -> None:
    """Run until told to stop, or until `--events` are stored."""
    options = parse()
    dsn, events = options.pop("dsn"), options.pop("events")
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    config = StreamConfig(**options)
    connections = config.writers + 1
    if events:
        run(config, MeasuredHandler(dsn, config.group, connections, events))
    run(config, UpsertHandler(dsn, config.group, connections))


if __name__ == "__main__":
    serve()
