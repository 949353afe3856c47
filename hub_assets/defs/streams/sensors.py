"""A sensor, on by default, that reports lag and freshness of the streams. It starts no runs."""

import time

import dagster as dg
import msgspec
import psycopg
from aiokafka.errors import KafkaError

from hub import settings
from hub_assets import events, streams

INTERVAL_S = 30


@dg.sensor(
    minimum_interval_seconds=INTERVAL_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="How far the tables lag behind the topics, and that they are kept current.",
)
def streams_observed(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Measure, and report what changed. A server that does not answer is no error of ours."""
    last = _cursor(context.cursor)
    try:
        measured = streams.measure(settings.load())
    except (psycopg.Error, KafkaError, TimeoutError, OSError) as error:
        return dg.SkipReason(f"could not measure: {type(error).__name__}: {error}")
    assert context.repository_def is not None, "a sensor is evaluated in its repository"
    tables = streams.tables(context.repository_def.asset_graph)
    found = events.report(measured, tables, last, time.time())
    return dg.SensorResult(
        asset_events=found.events, cursor=msgspec.json.encode(found.cursor).decode()
    )


def _cursor(text: str | None) -> events.Cursor:
    try:
        return msgspec.json.decode(text or "{}", type=events.Cursor)
    except msgspec.MsgspecError:
        return events.Cursor()  # of another version: report everything once more
