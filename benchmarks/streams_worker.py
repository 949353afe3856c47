"""`python -m benchmarks.streams_worker`: a stream worker with the simple upsert.

The benchmark measures it and the consistency tests kill it. Not here: the handler
(`benchmarks.streams_upsert`).
"""

import argparse
import logging
import sys

from benchmarks.streams_upsert import UpsertHandler
from streams.transport.config import SESSION_TIMEOUT_S, StreamConfig
from streams.worker import LOG_FORMAT, run


def main() -> None:
    """Read the arguments and run until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("brokers", "topics", "dsn", "group"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--index", type=int, default=0)
    parser.add_argument("--poll-records", type=int, default=5000)
    parser.add_argument("--write-records", type=int, default=1000)
    parser.add_argument("--writers", type=int, default=2)
    parser.add_argument("--linger-ms", type=int, default=7)
    parser.add_argument("--session-timeout-s", type=float, default=SESSION_TIMEOUT_S)
    parser.add_argument("--health-port", type=int, default=None)
    options = vars(parser.parse_args())
    dsn = options.pop("dsn")
    options["topics"] = tuple(options["topics"].split(","))
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    config = StreamConfig(**options)
    run(config, UpsertHandler(dsn, config.group, config.writers + 1))


if __name__ == "__main__":
    main()
