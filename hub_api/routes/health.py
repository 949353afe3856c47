"""`/healthz`, `/readyz`, `/metrics`: for supervisors and Prometheus, without a key."""

import asyncio

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from hub_api import figures
from hub_api.kafka import KafkaAwayError
from hub_api.limits import READY_TIMEOUT_S
from hub_api.postgres import PostgresAwayError
from hub_api.problems import Fault, Problem
from hub_api.resources import Held

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Everything the API needs answers."""

    postgres: str = "ok"
    kafka: str = "ok"


@router.get("/healthz")
async def healthz() -> Health:
    """The process runs. Says nothing of what it needs: restarting it would not mend that."""
    return Health()


@router.get("/readyz", responses={503: {"description": "Postgres or Kafka does not answer"}})
async def readyz(held: Held) -> Readiness:
    """Postgres and Kafka answer; otherwise 503 with the reason of each that does not."""
    found = await asyncio.gather(_postgres_fault(held), _kafka_fault(held))
    faults = [fault for fault in found if fault is not None]
    if faults:
        raise Problem("not-ready", faults, headers={"Retry-After": "1"})
    return Readiness()


@router.get("/metrics", response_class=Response)
async def metrics(held: Held) -> Response:
    """Figures in Prometheus's text format."""
    return Response(held.figures.text(), media_type=figures.CONTENT_TYPE)


async def _postgres_fault(held: Held) -> Fault | None:
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            shape = "select to_regclass('access.api_keys') is not null"
            is_migrated = await held.database.read(lambda reader: reader.fetchval(shape))
    except (PostgresAwayError, TimeoutError):
        return Fault("postgres", "it does not answer")
    return None if is_migrated else Fault("postgres", "the database lacks the hub's tables")


async def _kafka_fault(held: Held) -> Fault | None:
    try:
        await held.sender.check()
    except KafkaAwayError as error:
        return Fault("kafka", error.what)
    return None
