"""The rules worker's own little HTTP server: `/healthz` and `/metrics`, on 127.0.0.1."""

from collections.abc import Iterator

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.rules.worker import RulesWorker

SHUTDOWN_TIMEOUT_S = 0.5


class Figures:
    """What became of facts by rule and version, since the process began."""

    def __init__(self, worker: RulesWorker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        """The metrics as they are now."""
        runs = CounterMetricFamily(
            "hub_rules_runs",
            "Facts that a version of a rule was run on",
            labels=["rule", "version", "state"],
        )
        effects = CounterMetricFamily(
            "hub_rules_effects", "What runs had to do", labels=["rule", "version"]
        )
        for (rule, version), tally in sorted(self._worker.runner.tallies.items()):
            for state in ("done", "skipped", "failed"):
                runs.add_metric([rule, str(version), state], getattr(tally, state))
            effects.add_metric([rule, str(version)], tally.effects)
        yield runs
        yield effects
        facts = CounterMetricFamily("hub_rules_facts", "Facts that rules could be run on")
        facts.add_metric([], self._worker.runner.facts)
        yield facts
        broken = GaugeMetricFamily("hub_rules_broken", "Rules that this hub cannot run")
        broken.add_metric([], len(self._worker.runner.book.broken))
        yield broken


async def serve(worker: RulesWorker, port: int) -> web.AppRunner:
    """Listen; a taken port ends the worker."""
    registry = CollectorRegistry()
    registry.register(Figures(worker))  # type: ignore[arg-type]  # a collector by its method

    async def healthz(_: web.Request) -> web.Response:
        runner = worker.runner
        return web.json_response(
            {
                "ok": True,
                "is_working": worker.is_working,
                "facts": runner.facts,
                "broken": sorted(runner.book.broken),
            }
        )

    async def metrics(_: web.Request) -> web.Response:
        body = generate_latest(registry)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    page = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
    await page.setup()
    await web.TCPSite(page, "127.0.0.1", port).start()
    return page
