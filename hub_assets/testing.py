"""A warehouse to build in tests: dbt in this process, and rows written as the stream workers do.

Not here: fixtures (`tests/integration/marts`), and the servers they stand on (`hub.testing`).
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from hub.settings import Role, Settings
from hub_assets import dbt

PLACED = "2026-03-01 12:00:00+08"
SETTLE_TIMEOUT_S = 120.0
"""As long as a slow build of another test."""
SETTLE_POLL_S = 0.1
MARTS = frozenset({
    "members", "member_identities", "member_links",
    "points_ledger", "points_balances", "coupons", "orders", "order_lines",
    "stock_positions", "stock_movements",
    "items", "places", "channels", "dates",
    "payments", "settlements", "deferred_revenue", "cross_store_clearing", "live_sessions",
    "daily_sales", "basket_pairs", "channel_sync", "cases", "customer_portrait", "segments",
})  # fmt: skip
"""All marts that were promised."""
DAYS = 7_670
"""Rows of the mart `dates`, which needs no events."""


def parse(target: Path) -> Manifest:
    """The parsed project; dbt writes into the folder `target`."""
    with dbt.variables({"DBT_PROFILES_DIR": str(dbt.PROJECT_DIR)}):
        result = dbtRunner().invoke(["parse", *_folders(target)])
    assert result.success, result.exception
    assert isinstance(result.result, Manifest)
    return result.result


def only(manifest: Manifest, *marts: str) -> Manifest:
    """The project as if it had these marts alone, with what they are made of and their checks.

    For tests of how marts are built and published: a build of two marts costs a sixth of all.
    """
    small = manifest.deepcopy()
    models = {name for name, node in small.nodes.items() if node.resource_type == "model"}
    kept = added = {name for name in models if name.rpartition(".")[2] in marts}
    assert len(kept) == len(marts), marts
    while added:
        above = {parent for name in added for parent in small.nodes[name].depends_on_nodes}
        added = above & models - kept
        kept = kept | added
    gone = models - kept
    small.nodes = {
        name: node
        for name, node in small.nodes.items()
        if name not in gone and gone.isdisjoint(node.depends_on_nodes)
    }
    for others in (small.exposures, small.metrics, small.semantic_models, small.unit_tests):
        others.clear()
    return small


@dataclass
class Warehouse:
    """The marts of one database."""

    settings: Settings
    manifest: Manifest
    target: Path
    results: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def dbt(self, *arguments: str, snapshot: bool = True) -> bool:
        """Run dbt; whether all went well. `results` then has each node's status by
        name, `seconds` how long it took."""
        with self.run(snapshot) as run:
            return run(*arguments)

    @contextmanager
    def run(self, snapshot: bool = True) -> Iterator[Callable[..., bool]]:
        """Several commands of dbt that read one snapshot."""
        with ExitStack() as stack:
            stack.enter_context(dbt.variables(dbt.environment(self.settings)))
            if snapshot:
                held = stack.enter_context(dbt.run_snapshot(self.settings.dsn("dbt")))
                stack.enter_context(dbt.variables({dbt.SNAPSHOT_VARIABLE: held}))
            yield self._invoke

    def _invoke(self, *arguments: str) -> bool:
        runner = dbtRunner(manifest=_moved(self.manifest, self.settings.postgres_database))
        result = runner.invoke([*arguments, "--quiet", *_folders(self.target)])
        assert result.exception is None, result.exception
        nodes: Any = result.result
        self.results = {node.node.name: str(node.status) for node in nodes.results}
        self.seconds = {node.node.name: round(node.execution_time, 2) for node in nodes.results}
        return result.success

    def build(self, *arguments: str, snapshot: bool = True) -> None:
        """Build all models, without the tests."""
        assert self.dbt("run", *arguments, snapshot=snapshot), self.results

    def check(self, *arguments: str) -> bool:
        """Build all models and test the data; whether all tests passed."""
        return self.dbt("build", "--exclude-resource-type", "unit_test", *arguments)

    def rows(self, query: str, role: Role = "dbt") -> list[tuple[Any, ...]]:
        """What a role gets; `dbt` may read the candidates of marts too."""
        with psycopg.connect(self.settings.dsn(role)) as connection:
            return connection.execute(query.encode()).fetchall()

    def settle(self) -> None:
        """Wait until no transaction of this server, in whatever database, is as old as the orders:
        only what is older than all that run is compared with the marts."""
        is_settled = (
            "select pg_snapshot_xmin(pg_current_snapshot()) > max(changed_xid) from hub.orders"
        )
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while not self.rows(is_settled)[0][0]:
            assert time.monotonic() < deadline, "an older transaction does not end"
            time.sleep(SETTLE_POLL_S)

    def writer(self) -> psycopg.Connection:
        """A connection as the stream workers have it."""
        return psycopg.connect(self.settings.dsn("writer"))

    def owner(self) -> psycopg.Connection:
        """A connection of one who may do anything."""
        return psycopg.connect(self.settings.dsn("admin", self.settings.postgres_database))


@dataclass
class Hub:
    """Writes rows as the stream workers do, in the transaction of `connection`."""

    connection: psycopg.Connection

    def member(self, member: int) -> None:
        self.put("members", member_id=row_id(member), first_seen_at=PLACED)

    def profile(self, profile: int, member: int, channel: str = "website") -> None:
        self.put(
            "profiles",
            profile_id=row_id(profile),
            channel=channel,
            account=f"a{profile}",
            member_id=row_id(member),
            first_seen_at=PLACED,
        )
        self.link(profile, member)

    def link(self, profile: int, member: int) -> None:
        """The open link of a profile; `move` closes it."""
        self.put(
            "member_links",
            link_id=uuid.uuid4(),
            profile_id=row_id(profile),
            member_id=row_id(member),
            valid_from=PLACED,
            reason="first_seen",
            evidence="{}",
            rule_version="identity-1",
            event_key=uuid.uuid4(),
        )

    def move(self, profile: int, member: int) -> None:
        """A late identifier shows that the account is another member's."""
        self.connection.execute(
            "update hub.member_links set valid_to = now(), changed_xid = pg_current_xact_id()"
            " where profile_id = %s and valid_to is null",
            [row_id(profile)],
        )
        self.connection.execute(
            "update hub.profiles set member_id = %s, changed_xid = pg_current_xact_id()"
            " where profile_id = %s",
            [row_id(member), row_id(profile)],
        )
        self.link(profile, member)

    def merge(self, member: int, into: int) -> None:
        self.connection.execute(
            "update hub.members set merged_into = %s, changed_xid = pg_current_xact_id()"
            " where member_id = %s",
            [row_id(into), row_id(member)],
        )

    def item(self, sku: str, category: str | None = None) -> None:
        """An item's newest description takes the place of what was known."""
        self.connection.execute("delete from hub.items where sku = %s", [sku])
        self.put(
            "items",
            sku=sku,
            name=sku.title(),
            unit="piece",
            category=category,
            position_at=PLACED,
            position_id=uuid.uuid4(),
        )

    def place(self, place: str) -> None:
        self.put(
            "places",
            place=place,
            name=place.title(),
            kind="store",
            position_at=PLACED,
            position_id=uuid.uuid4(),
        )

    def channel(self, channel: str) -> None:
        self.put("channels", channel=channel, name=channel)

    def order(
        self, order: int, lines: dict[str, int], profile: int | None = None, at: str = PLACED
    ) -> None:
        """Put an order in place of what is there. lines: line number -> total in minor units."""
        total = sum(lines.values())
        columns = {
            "order_id": row_id(order),
            "channel": "website",
            "shop": "main",
            "order_number": str(order),
            "profile_id": None if profile is None else row_id(profile),
            "currency": "CNY",
            "status": "open",
            "payment_status": "unpaid",
            "fulfilment_status": "unfulfilled",
            "return_status": "none",
            "gross_minor": total,
            "discount_minor": 0,
            "total_minor": total,
            "paid_minor": 0,
            "refunded_minor": 0,
            "placed_at": at,
            "event_count": 1,
            "first_received_at": at,
        }
        self.connection.execute("delete from hub.orders where order_id = %s", [row_id(order)])
        self.connection.execute("delete from hub.order_lines where order_id = %s", [row_id(order)])
        self.put("orders", **columns)
        for line, amount in lines.items():
            self.put(
                "order_lines",
                order_id=row_id(order),
                line=line,
                sku=f"sku-{line}",
                quantity_milli=1500,
                fulfilled_milli=0,
                returned_milli=0,
                unit_price_minor=amount,
                gross_minor=amount,
                discount_minor=0,
                total_minor=amount,
            )

    def points(self, profile: int, points: int) -> None:
        """Earn points: one entry, and the account's totals."""
        self.put(
            "points_entries",
            entry_id=uuid.uuid4(),
            profile_id=row_id(profile),
            kind="earned",
            points=points,
            occurred_at=PLACED,
            event_key=uuid.uuid4(),
            rule_version="earn-1",
        )
        self.connection.execute(
            "insert into hub.points_accounts values (%s, %s, 0, 0, 0, 0, 0, %s, 0)"
            " on conflict (profile_id) do update set"
            " issued_points = points_accounts.issued_points + excluded.issued_points,"
            " open_points = points_accounts.open_points + excluded.open_points,"
            " changed_xid = pg_current_xact_id()",
            [row_id(profile), points, points],
        )

    def stock(self, sku: str, on_hand_milli: int) -> None:
        """A movement at one place, and the position it ends in."""
        self.put(
            "stock_movements",
            movement_id=uuid.uuid4(),
            sku=sku,
            place="store-1",
            kind="adjusted",
            on_hand_milli=on_hand_milli,
            committed_milli=0,
            occurred_at=PLACED,
            event_key=uuid.uuid4(),
        )
        self.connection.execute(
            "insert into hub.stock_positions (sku, place, on_hand_milli, committed_milli, version)"
            " values (%s, 'store-1', %s, 0, 1) on conflict (sku, place) do update set"
            " on_hand_milli = stock_positions.on_hand_milli + excluded.on_hand_milli,"
            " version = stock_positions.version + 1, changed_xid = pg_current_xact_id()",
            [sku, on_hand_milli],
        )

    def coupon(self, coupon: int, redeemed: int) -> None:
        """A coupon of two uses, so many of them redeemed."""
        self.put(
            "coupons",
            coupon_id=row_id(coupon),
            code=f"C{coupon}",
            kind="times",
            channel="website",
            shop="main",
            owed_minor=0,
            terms="{}",
            status="redeemed" if redeemed == 2 else "issued",
            uses_total=2,
            uses_redeemed=redeemed,
            event_count=1 + redeemed,
            first_received_at=PLACED,
        )
        for use in range(redeemed):
            self.put(
                "coupon_redemptions",
                coupon_id=row_id(coupon),
                redemption_id=str(use),
                channel="website",
                shop="main",
                amount_minor=500,
                revenue_minor=0,
                currency="CNY",
                redeemed_at=PLACED,
                is_accepted=True,
                event_key=uuid.uuid4(),
            )

    def put(self, table: str, **columns: Any) -> None:
        self.insert(f"hub.{table}", columns)

    def put_log(self, table: str, **columns: Any) -> None:
        self.insert(f"log.{table}", columns)

    def insert(self, table: str, columns: dict[str, Any]) -> None:
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        statement = f"insert into {table} ({names}) values ({places})"
        self.connection.execute(statement.encode(), list(columns.values()))

    def change(self, table: str, columns: dict[str, Any], **key: Any) -> None:
        """Set columns of one row, named by its key."""
        sets = "".join(f"{name} = %s, " for name in columns)
        where = " and ".join(f"{name} = %s" for name in key)
        statement = f"update hub.{table} set {sets}changed_xid = pg_current_xact_id() where {where}"
        self.connection.execute(statement.encode(), [*columns.values(), *key.values()])


def row_id(number: int) -> uuid.UUID:
    """The id of the row that a test calls by this number."""
    return uuid.UUID(int=number)


def _moved(manifest: Manifest, database: str) -> Manifest:
    """The same project in another database: cheaper than to parse it again."""
    moved = manifest.deepcopy()
    for node in [*moved.nodes.values(), *moved.sources.values(), *moved.unit_tests.values()]:
        known = getattr(node, "database", None)
        if known is not None:
            relation = getattr(node, "relation_name", None) or ""
            node.database = database  # type: ignore[union-attr]
            node.relation_name = relation.replace(f'"{known}"', f'"{database}"', 1) or None  # type: ignore[union-attr]
    return moved


def _folders(target: Path) -> list[str]:
    return ["--project-dir", str(dbt.PROJECT_DIR), "--target-path", str(target),
            "--log-path", str(target), "--log-level-file", "none", "--no-write-json"]  # fmt: skip
