"""Each metric of the semantic models: what it must be for a journey, and what the marts give.

The definitions are read from `dbt_project/models/semantic`, so what is compared is what an analyst
gets. Only the measures and kinds of metrics that are used there are known here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg
import yaml

from hub.demo.oracle import coupons, people, sync
from hub.demo.oracle.journey import Journey

MODELS = Path(__file__).parents[3] / "dbt_project" / "models" / "semantic"
OF_THE_JOURNEY = {
    "days_of_sales": "currency = 'USD'",
    "portraits": "preferred_channel in ('website', 'miniprogram', 'store')",
    "points_entries": "occurred_date < '2019-01-01'",
    "issued_coupons": "issued_at < '2019-01-01'",
    "sold_vouchers": "currency = 'USD'",
    "opened_cases": "kind <> 'manual'",
    "received_events": "channel in ('website', 'miniprogram', 'store')",
}
"""What of each semantic model is the journey's, by the model's own dimensions."""
AGGREGATES = {"sum": "sum", "count": "count", "average": "avg"}

Figure = Fraction | None


def wanted(journey: Journey) -> dict[str, Figure]:
    """Each metric by its name; None where there is nothing to measure."""
    portraits, baskets = people.customer_portrait(journey), journey.baskets
    count, events = portraits["order_count"], sync.channel_sync(journey)
    issued = coupons.coupons(journey)
    whole = {
        "gmv": baskets["total"].sum(),
        "net_sales": baskets["total"].sum(),
        "orders_placed": len(baskets),
        "buyers": (count > 0).sum(),
        "buyers_again": (count > 1).sum(),
        "cross_channel_buyers": (portraits["channel_count"] > 1).sum(),
        "points_liability": (baskets["total"] // 100).sum(),
        "coupon_uses": issued["uses_redeemed"].sum(),
        "coupon_uses_issued": issued["uses_total"].sum(),
        "events_received": events["received"].sum(),
        "events_settled": events["applied"].sum(),
        **dict.fromkeys(
            ["voucher_liability", "cases_opened", "oversold_cases", "manual_repairs"], 0
        ),
    }
    found: dict[str, Figure] = {name: Fraction(int(figure)) for name, figure in whole.items()}
    for name, of, by in (
        ("repurchase_rate", "buyers_again", "buyers"),
        ("cross_channel_share", "cross_channel_buyers", "buyers"),
        ("coupon_use_rate", "coupon_uses", "coupon_uses_issued"),
        ("oversell_rate", "oversold_cases", "orders_placed"),
        ("dispute_rate", "cases_opened", "orders_placed"),
        ("sync_accuracy", "events_settled", "events_received"),
    ):
        found[name] = Fraction(int(whole[of]), int(whole[by]))
    return found | {"hours_to_solve_a_case": None}


@dataclass(frozen=True)
class Definitions:
    """The metrics, and the measure behind each name: (semantic model, mart, aggregate of it)."""

    metrics: Mapping[str, Mapping[str, Any]]
    measures: Mapping[str, tuple[str, str, str]]


def definitions() -> Definitions:
    """As the semantic models say."""
    said = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in MODELS.glob("*.yml")]
    measures = {}
    for model in (model for one in said for model in one.get("semantic_models", [])):
        mart = model["model"].removeprefix("ref('").removesuffix("')")
        for measure in model["measures"]:
            of = measure.get("expr", measure["name"])
            asked = f"{AGGREGATES[measure['agg']]}({of})"
            measures[measure["name"]] = (model["name"], mart, asked)
    metrics = {one["name"]: one for file in said for one in file.get("metrics", [])}
    return Definitions(metrics, measures)


def found(connection: psycopg.Connection[Any]) -> dict[str, Figure]:
    """What the marts give for each metric, of the journey's rows."""
    known = definitions()
    return {name: _figure(connection, known, metric) for name, metric in known.metrics.items()}


def _figure(
    connection: psycopg.Connection[Any], known: Definitions, metric: Mapping[str, Any]
) -> Figure:
    asked = metric["type_params"]
    if metric["type"] == "ratio":
        parts = [known.metrics[asked[part]] for part in ("numerator", "denominator")]
        above, below = (_figure(connection, known, part) for part in parts)
        return above / below if above is not None and below else None
    model, mart, aggregate = known.measures[asked["measure"]]
    query = f"select {aggregate} from marts.{mart} where {OF_THE_JOURNEY[model]}"
    row = connection.execute(query.encode()).fetchone()
    is_sum = aggregate.startswith("sum")
    if row is None or row[0] is None:
        return Fraction(0) if is_sum else None
    return Fraction(row[0])
