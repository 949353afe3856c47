"""`python -m streams.worker`: one stream worker with its health page and its watchdog.

Starting it again when it ends is the supervisor's (`hub.local`), or that of whatever runs it.
Not here: the app (`streams.app`), the handler (`streams.processors`).
"""

import argparse
import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
from typing import Any, NoReturn

import uvloop
from faust.worker import Worker

from streams.app import create_app
from streams.health import HealthServer
from streams.transport.batch import BatchHandler
from streams.transport.config import StreamConfig
from streams.transport.state import TransportState
from streams.watchdog import Watchdog

log = logging.getLogger(__name__)

# SIGTERM to exit. The write in flight has ended long before; what may hang is the shutdown.
EXIT_DEADLINE_S = 4.5
LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


class StreamWorker(Worker):
    """Faust's worker, which leaves within the deadline after a signal."""

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        _leave_after_deadline(code=0)
        super()._schedule_shutdown(signal)

    def on_worker_shutdown(self) -> None:
        """Also called after a crash; a crashed app may hang while it stops."""
        _leave_after_deadline(code=1 if self.crash_reason else 0)

    def _shutdown_loop(self) -> None:
        """Faust's waits for 2 s more; all that matters has been stopped."""
        if self.crash_reason:
            raise self.crash_reason


def run(config: StreamConfig, handler: BatchHandler) -> NoReturn:
    """Run until a signal (exit code 0), a crash (1) or a stall (75)."""
    faulthandler.enable()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until Faust's handler is in place
    # Half the CPU of asyncio's own loop for writes of a few events; Faust's thread gets one too.
    uvloop.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    state = TransportState()
    app = create_app(config, handler, state)
    services: list[Any] = [app]
    if config.health_port is not None:
        services.append(HealthServer(state, config.health_port))
    Watchdog(config.brokers, state).start()
    worker = StreamWorker(*services, loop=loop, loglevel="INFO", override_logging=False, quiet=True)
    code = 0
    try:
        worker.execute_from_commandline()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        log.exception("the worker crashed")
        code = 1
    # Threads of the Kafka client may linger; nothing is left for them to do.
    logging.shutdown()
    os._exit(code)


def from_settings(index: int) -> tuple[StreamConfig, BatchHandler]:
    """The configuration and the handler of worker `index`, from the environment."""
    from hub.domain.topics import COMMERCE
    from hub.settings import load
    from streams.processors.handler import GROUP, HubHandler

    settings = load()
    config = StreamConfig(
        group=GROUP,
        brokers=settings.brokers,
        topics=COMMERCE,
        index=index,
        poll_records=settings.poll_records,
        write_records=settings.write_records,
        linger_ms=settings.linger_ms,
        commit_interval_s=settings.commit_interval_s,
        health_port=settings.worker_port(index),
    )
    return config, HubHandler(settings, worker=str(index), writers=config.writers)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Entry point of the process."""
    parser = argparse.ArgumentParser(prog="streams.worker", description=__doc__)
    parser.add_argument("--index", type=int, default=int(os.environ.get("HUB_WORKER_INDEX", "0")))
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    run(*from_settings(chosen.index))


def _leave_after_deadline(code: int) -> None:
    """The first call counts in effect: its deadline is the earlier one."""

    def leave() -> None:
        log.warning("the shutdown takes longer than %.1f s: leaving", EXIT_DEADLINE_S)
        faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
        os._exit(code)

    deadline = threading.Timer(EXIT_DEADLINE_S, leave)
    deadline.daemon = True
    deadline.start()


if __name__ == "__main__":
    main()
