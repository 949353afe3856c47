"""The component that shows a table which the stream workers keep: what feeds it, how fresh it is.

Dagster does not write such a table; the sensor `streams_observed` reports it current while its
topics are stored. Not here: measuring (`hub_assets.streams`), and the workers (`streams`).
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal, Self

import dagster as dg
import psycopg
from pydantic import BaseModel, Field, model_validator

from hub import settings
from hub.domain import topics
from hub_assets import columns
from hub_assets.events import REPORT_EVERY_S, topic_key
from hub_assets.streams import CONNECT_TIMEOUT_S, STREAM_TABLE_TAG

COLUMNS_CRON = "40 0 * * *"


class Table(dg.Model, dg.Resolvable):
    """A table and the topics whose events change its rows."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    topics: list[str] = Field(min_length=1)
    rows: str = Field(description="What a row is")
    rows_zh: str = Field(default="", description="The same in Chinese")

    @model_validator(mode="after")
    def _topics_are_read(self) -> Self:
        unknown = set(self.topics) - set(topics.COMMERCE)
        if unknown:
            raise ValueError(f"the workers do not read {', '.join(sorted(unknown))}")
        return self


class StreamTableParams(BaseModel):
    """What `dg scaffold` asks for."""

    table: str = "orders"
    topic: str = topics.ORDERS
    subject: str = "orders"


class StreamTableScaffolder(dg.Scaffolder[StreamTableParams]):
    """Writes one table of schema hub."""

    @classmethod
    def get_scaffold_params(cls) -> type[StreamTableParams]:
        """Table, topic and subject."""
        return StreamTableParams

    def scaffold(self, request: dg.ScaffoldRequest[StreamTableParams]) -> None:
        """Write `defs.yaml`."""
        asked = request.params
        table = {"name": asked.table, "topics": [asked.topic], "rows": f"A row of {asked.table}."}
        dg.scaffold_component(request, {"subject": asked.subject, "tables": [table]})


@dg.scaffold_with(StreamTableScaffolder)
class StreamTable(dg.Component, dg.Model, dg.Resolvable):
    """Tables that the stream workers keep, as external assets below the topics that feed them."""

    tables: list[Table]
    database_schema: Literal["hub", "log"] = "hub"
    subject: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$", description="What they are about: a tag to find them by"
    )
    owners: list[str] = Field(default=["team:streams"], description="team:<name> or an address")
    stale_after_s: int = Field(
        default=3 * REPORT_EVERY_S,
        ge=2 * REPORT_EVERY_S,
        description="Not reported for so long, a table is stale: its worker stands still",
    )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """An external asset a table, with a check of its columns."""
        specs = [self._spec(table) for table in self.tables]
        return dg.Definitions(assets=specs, asset_checks=[self._columns_check(specs)])

    def _columns_check(self, specs: list[dg.AssetSpec]) -> dg.AssetChecksDefinition:
        checks = [
            dg.AssetCheckSpec(
                columns.CHECK,
                asset=spec.key,
                description="The table has the columns and types of the last look.",
                automation_condition=dg.AutomationCondition.cron_tick_passed(
                    COLUMNS_CRON
                ).with_label("once a day"),
            )
            for spec in specs
        ]

        @dg.multi_asset_check(
            # Of a subject there may be several of these; a table is shown once.
            name=f"columns_of_{self.database_schema}_{self.tables[0].name}",
            specs=checks,
            can_subset=True,
        )
        def known(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
            dsn = settings.load().dsn("dbt")
            with psycopg.connect(dsn, connect_timeout=CONNECT_TIMEOUT_S) as connection:
                for key in sorted(context.selected_asset_check_keys):
                    now = columns.read(connection, ".".join(key.asset_key.path))
                    yield columns.result(context.instance, key, now)

        return known

    def _spec(self, table: Table) -> dg.AssetSpec:
        place = f"{self.database_schema}.{table.name}"
        kept = f"Table {place}: kept by the stream workers, one transaction a batch."
        return dg.AssetSpec(
            dg.AssetKey([self.database_schema, table.name]),
            deps=[topic_key(topic) for topic in table.topics],
            description="\n\n".join(filter(None, [table.rows, table.rows_zh, kept])),
            group_name=self.database_schema,
            kinds={"postgres"},
            owners=self.owners,
            tags={STREAM_TABLE_TAG: "", "subject": self.subject},
            metadata={"dagster/table_name": place},
            freshness_policy=dg.FreshnessPolicy.time_window(
                fail_window=timedelta(seconds=self.stale_after_s),
                warn_window=timedelta(seconds=2 * REPORT_EVERY_S)
                if self.stale_after_s > 2 * REPORT_EVERY_S
                else None,
            ),
        )
