"""The delivery worker's little HTTP server: `/healthz`, `/metrics`, on 127.0.0.1."""

import psutil
from aiohttp import web
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.deliveries.worker import Dispatcher
from streams.facts.publisher import Publisher

SHUTDOWN_TIMEOUT_S = 0.5


async def serve(dispatcher: Dispatcher, publisher: Publisher, port: int) -> web.AppRunner:
    """Listen; a taken port ends the process."""
    registry = _registry(dispatcher, publisher)

    async def healthz(_: web.Request) -> web.Response:
        facts = {
            "is_working": publisher.is_working,
            "published": publisher.published,
            "trouble": publisher.trouble,
        }
        said = {"ok": True, "is_working": dispatcher.is_working, "sent": dispatcher.sent}
        return web.json_response(said | {"facts": facts})

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner


def _registry(dispatcher: Dispatcher, publisher: Publisher) -> CollectorRegistry:
    registry = CollectorRegistry()
    process = psutil.Process()

    def gauge(name: str, words: str, value: object) -> None:
        made = Gauge(name, words, namespace="hub_deliveries", registry=registry)
        made.set_function(value)  # type: ignore[arg-type]

    gauge("sent", "Deliveries sent, whatever the receiver said", lambda: dispatcher.sent)
    gauge("on_the_way", "Deliveries being sent now", lambda: dispatcher.on_the_way)
    gauge("facts_published", "Facts that Kafka has confirmed", lambda: publisher.published)
    gauge("facts_in_trouble", "1 while facts wait for Kafka", lambda: int(bool(publisher.trouble)))
    gauge("rss_bytes", "Resident memory", lambda: process.memory_info().rss)
    return registry
