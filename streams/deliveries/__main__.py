"""The process: a dispatcher, and its health page."""

import asyncio
import contextlib
import logging
import signal
import sys

from aiohttp import web

from hub import settings as hub_settings
from streams.deliveries.worker import Dispatcher

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


async def main() -> None:
    """Work until SIGTERM or SIGINT."""
    settings = hub_settings.load()
    dispatcher = Dispatcher(settings)
    await dispatcher.open()
    runner = await _health(dispatcher, settings.deliveries_port)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    work = asyncio.create_task(dispatcher.run())
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
    for task in (work, waiting):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    await runner.cleanup()
    await dispatcher.close()


async def _health(dispatcher: Dispatcher, port: int) -> web.AppRunner:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(
            {"ok": True, "is_working": dispatcher.is_working, "sent": dispatcher.sent}
        )

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format=LOG_FORMAT, stream=sys.stderr)
    asyncio.run(main())
