"""A warehouse to build in tests: dbt in this process, and rows written as the stream workers do.

Not here: fixtures (`tests/integration/marts`), and the servers they stand on (`hub.testing`).
"""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from psycopg.types.json import Jsonb

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
    "daily_sales", "channel_sync",
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
        self._put("members", member_id=_id(member), first_seen_at=PLACED)

    def profile(self, profile: int, member: int, channel: str = "website") -> None:
        self._put(
            "profiles",
            profile_id=_id(profile),
            channel=channel,
            account=f"a{profile}",
            member_id=_id(member),
            first_seen_at=PLACED,
        )
        self.link(profile, member)

    def link(self, profile: int, member: int) -> None:
        """The open link of a profile; `move` closes it."""
        self._put(
            "member_links",
            link_id=uuid.uuid4(),
            profile_id=_id(profile),
            member_id=_id(member),
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
            [_id(profile)],
        )
        self.connection.execute(
            "update hub.profiles set member_id = %s, changed_xid = pg_current_xact_id()"
            " where profile_id = %s",
            [_id(member), _id(profile)],
        )
        self.link(profile, member)

    def merge(self, member: int, into: int) -> None:
        self.connection.execute(
            "update hub.members set merged_into = %s, changed_xid = pg_current_xact_id()"
            " where member_id = %s",
            [_id(into), _id(member)],
        )

    def item(self, sku: str, category: str | None = None) -> None:
        """An item's newest description takes the place of what was known."""
        self.connection.execute("delete from hub.items where sku = %s", [sku])
        self._put(
            "items",
            sku=sku,
            name=sku.title(),
            unit="piece",
            category=category,
            position_at=PLACED,
            position_id=uuid.uuid4(),
        )

    def place(self, place: str) -> None:
        self._put(
            "places",
            place=place,
            name=place.title(),
            kind="store",
            position_at=PLACED,
            position_id=uuid.uuid4(),
        )

    def channel(self, channel: str) -> None:
        self._put("channels", channel=channel, name=channel)

    def order(
        self, order: int, lines: dict[str, int], profile: int | None = None, at: str = PLACED
    ) -> None:
        """Put an order in place of what is there. lines: line number -> total in minor units."""
        total = sum(lines.values())
        columns = {
            "order_id": _id(order),
            "channel": "website",
            "shop": "main",
            "order_number": str(order),
            "profile_id": None if profile is None else _id(profile),
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
        self.connection.execute("delete from hub.orders where order_id = %s", [_id(order)])
        self.connection.execute("delete from hub.order_lines where order_id = %s", [_id(order)])
        self._put("orders", **columns)
        for line, amount in lines.items():
            self._put(
                "order_lines",
                order_id=_id(order),
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
        self._put(
            "points_entries",
            entry_id=uuid.uuid4(),
            profile_id=_id(profile),
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
            [_id(profile), points, points],
        )

    def stock(self, sku: str, on_hand_milli: int) -> None:
        """A movement at one place, and the position it ends in."""
        self._put(
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
        self._put(
            "coupons",
            coupon_id=_id(coupon),
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
            self._put(
                "coupon_redemptions",
                coupon_id=_id(coupon),
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

    def _put(self, table: str, **columns: Any) -> None:
        self._insert(f"hub.{table}", columns)

    def _put_log(self, table: str, **columns: Any) -> None:
        self._insert(f"log.{table}", columns)

    def _insert(self, table: str, columns: dict[str, Any]) -> None:
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        statement = f"insert into {table} ({names}) values ({places})"
        self.connection.execute(statement.encode(), list(columns.values()))

    def _change(self, table: str, columns: dict[str, Any], **key: Any) -> None:
        """Set columns of one row, named by its key."""
        sets = "".join(f"{name} = %s, " for name in columns)
        where = " and ".join(f"{name} = %s" for name in key)
        statement = f"update hub.{table} set {sets}changed_xid = pg_current_xact_id() where {where}"
        self.connection.execute(statement.encode(), [*columns.values(), *key.values()])


@dataclass
class Till(Hub):
    """Writes what orders were paid with, what vouchers earned, and the log of all that."""

    def counts_not(self, order: int) -> None:
        """The order is another system's report."""
        self._change("orders", {"is_sale": False}, order_id=_id(order))

    def pay(self, order: int, paid_minor: int, at: str = PLACED) -> None:
        self._change("orders", {"paid_minor": paid_minor, "paid_at": at}, order_id=_id(order))

    def refund(self, order: int, refund: str, amount_minor: int, at: str = PLACED) -> None:
        """A refund that succeeded at once."""
        self._put(
            "order_refunds",
            order_id=_id(order),
            refund_id=refund,
            kind="refund",
            status="succeeded",
            amount_minor=amount_minor,
            points=0,
            asked_at=at,
            ended_at=at,
        )
        self.connection.execute(
            "update hub.orders set refunded_minor = refunded_minor + %s,"
            " changed_xid = pg_current_xact_id() where order_id = %s",
            [amount_minor, _id(order)],
        )

    def tell_more(
        self, order: int, tenders: dict[str, int] | None = None, session: str | None = None
    ) -> None:
        """tenders: kind -> amount in minor units."""
        said = [{"kind": kind, "amount_minor": amount} for kind, amount in (tenders or {}).items()]
        self._put(
            "order_details",
            order_id=_id(order),
            tenders=Jsonb(said) if said else None,
            tendered_minor=sum((tenders or {}).values()),
            is_paid_on_delivery=False,
            forfeited_minor=0,
            compensated_minor=0,
            refunding_minor=0,
            paid_late_minor=0,
            session_id=session,
            anchor="lin" if session else None,
        )

    def bill(self, order: int, amount_minor: int, commission_minor: int = 0) -> None:
        """The platform's bill; its fee is 1."""
        self._put(
            "order_settlements",
            order_id=_id(order),
            payment_id="p",
            amount_minor=amount_minor,
            fee_minor=1,
            commission_minor=commission_minor,
            subsidy_minor=0,
        )

    def session(self, session: str) -> None:
        self._put(
            "live_sessions",
            session_key=uuid.uuid4(),
            channel="website",
            session=session,
            opened_at=PLACED,
        )

    def voucher(self, coupon: int, order: int, paid_minor: int) -> None:
        """A voucher of one use that an order sold."""
        self._put(
            "coupons",
            coupon_id=_id(coupon),
            code=f"C{coupon}",
            kind="exchange",
            channel="website",
            shop="main",
            order_number=str(order),
            paid_minor=paid_minor,
            owed_minor=paid_minor,
            currency="CNY",
            terms="{}",
            status="issued",
            uses_total=1,
            uses_redeemed=0,
            issued_at=PLACED,
            event_count=1,
            first_received_at=PLACED,
        )

    def redeem(self, coupon: int, earned_minor: int, place: str, at: str = PLACED) -> None:
        """A store of the channel `pos` takes the voucher for goods."""
        self._put(
            "coupon_redemptions",
            coupon_id=_id(coupon),
            redemption_id="r",
            channel="pos",
            shop="main",
            place=place,
            revenue_minor=earned_minor,
            redeemed_at=at,
            is_accepted=True,
            event_key=uuid.uuid4(),
        )
        self._change(
            "coupons",
            {"owed_minor": 0, "status": "redeemed", "uses_redeemed": 1},
            coupon_id=_id(coupon),
        )

    def end(self, coupon: int, status: str, at: str = PLACED) -> None:
        """The voucher expires, or is refunded."""
        columns = {"owed_minor": 0, "status": status, "ended_at": at}
        self._change("coupons", columns, coupon_id=_id(coupon))

    def event(self, entity: int, type_: str, at: str, outcome: str = "applied") -> None:
        """An event in the log, 250 ms after it was written to Kafka."""
        said = {"event_key": uuid.uuid4(), "entity_key": _id(entity), "received_at": at}
        log_id = self.connection.execute("select nextval('log.log_id_seq')").fetchone()
        assert log_id is not None
        self._put_log(
            "events",
            **said,
            log_id=log_id[0],
            entity_kind=type_.partition(".")[0],
            source="/channels/website/shops/main",
            event_id=str(said["event_key"]),
            type=type_,
            occurred_at=at,
            topic="t",
            partition=0,
            kafka_offset=log_id[0],
            produced_at=datetime.fromisoformat(at) - timedelta(milliseconds=250),
            body=b"{}",
        )
        self._put_log(
            "inbox",
            **said,
            log_id=log_id[0],
            payload_hash=uuid.uuid4(),
            outcome=outcome,
            is_announced=outcome == "applied",
        )


def _id(number: int) -> uuid.UUID:
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
