"""The API's app: `uvicorn --factory hub_api.app:create_app`. Routes are in `hub_api.routes`."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

import hub
from hub import settings as hub_settings
from hub.settings import Settings
from hub_api import api_page, logs, polling, problems, resources
from hub_api.figures import Figures
from hub_api.front import Front
from hub_api.kafka import Sender
from hub_api.routes import (
    allotments,
    approvals,
    cases,
    channels,
    checkouts,
    console,
    coupon_commands,
    coupon_offers,
    coupons,
    dead_letters,
    deliveries,
    events,
    explanations,
    guides,
    health,
    holdings,
    identifiers,
    member_commands,
    members,
    order_commands,
    orders,
    pages,
    points,
    quotes,
    registrations,
    reservations,
    rule_parts,
    rule_runs,
    rule_trials,
    rules,
    search,
    sessions,
    stock,
    store,
    streams,
    subscriptions,
    tiers,
    webhooks,
)

DESCRIPTION = (
    "Events in, reads out. Every refusal is `application/problem+json` (RFC 9457), in English or "
    "Chinese by `Accept-Language`. Amounts and quantities are decimal strings; times are UTC. "
    "What each event holds: [/asyncapi.json](/asyncapi.json)."
)


def create_app(settings: Settings | None = None, sender: Sender | None = None) -> FastAPI:
    """The app of one hub; settings come from the environment unless given.

    sender: what takes events instead of Kafka, for tests.
    """
    if settings is None:
        logs.configure()
        settings = hub_settings.load()
    chosen = settings
    figures = Figures()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with resources.opened(chosen, figures, sender) as held:
            app.state.resources = held
            async with polling.running(held):
                yield

    app = FastAPI(
        title="Commerce data hub",
        description=DESCRIPTION,
        version=hub.__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False},
    )
    app.add_middleware(Front, figures=figures)
    problems.install(app)
    for routes in (
        health,
        sessions,
        search,
        events,
        webhooks,
        channels,
        member_commands,
        registrations,
        members,
        identifiers,
        holdings,
        tiers,
        explanations,
        # Before those whose paths would take their names for ids.
        streams,
        orders,
        order_commands,
        stock,
        store,
        reservations,
        allotments,
        points,
        checkouts,
        quotes,
        coupon_commands,
        coupon_offers,
        coupons,
        cases,
        approvals,
        rule_parts,
        rule_runs,
        rule_trials,
        rules,
        subscriptions,
        deliveries,
        dead_letters,
        guides,
        console,
        pages,
    ):
        app.include_router(routes.router)
    api_page.install(app)
    return app
