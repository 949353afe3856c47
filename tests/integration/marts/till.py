"""Rows of money, people's habits, cases and the log, written as the stream workers do.

The hub's main tables are in `hub_assets.testing.Hub`.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg.types.json import Jsonb

from hub_assets.testing import PLACED, Hub, row_id


@dataclass
class Till(Hub):
    """Writes what orders were paid with, what vouchers earned, and the log of all that."""

    def counts_not(self, order: int) -> None:
        """The order is another system's report."""
        self.change("orders", {"is_sale": False}, order_id=row_id(order))

    def pay(self, order: int, paid_minor: int, at: str = PLACED) -> None:
        self.change("orders", {"paid_minor": paid_minor, "paid_at": at}, order_id=row_id(order))

    def refund(self, order: int, refund: str, amount_minor: int, at: str = PLACED) -> None:
        """A refund that succeeded at once."""
        self.put(
            "order_refunds",
            order_id=row_id(order),
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
            [amount_minor, row_id(order)],
        )

    def tell_more(
        self, order: int, tenders: dict[str, int] | None = None, session: str | None = None
    ) -> None:
        """tenders: kind -> amount in minor units."""
        said = [{"kind": kind, "amount_minor": amount} for kind, amount in (tenders or {}).items()]
        self.put(
            "order_details",
            order_id=row_id(order),
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
        self.put(
            "order_settlements",
            order_id=row_id(order),
            payment_id="p",
            amount_minor=amount_minor,
            fee_minor=1,
            commission_minor=commission_minor,
            subsidy_minor=0,
        )

    def session(self, session: str) -> None:
        self.put(
            "live_sessions",
            session_key=uuid.uuid4(),
            channel="website",
            session=session,
            opened_at=PLACED,
        )

    def voucher(self, coupon: int, order: int, paid_minor: int) -> None:
        """A voucher of one use that an order sold."""
        self.put(
            "coupons",
            coupon_id=row_id(coupon),
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
        self.put(
            "coupon_redemptions",
            coupon_id=row_id(coupon),
            redemption_id="r",
            channel="pos",
            shop="main",
            place=place,
            revenue_minor=earned_minor,
            redeemed_at=at,
            is_accepted=True,
            event_key=uuid.uuid4(),
        )
        self.change(
            "coupons",
            {"owed_minor": 0, "status": "redeemed", "uses_redeemed": 1},
            coupon_id=row_id(coupon),
        )

    def end(self, coupon: int, status: str, at: str = PLACED) -> None:
        """The voucher expires, or is refunded."""
        columns = {"owed_minor": 0, "status": status, "ended_at": at}
        self.change("coupons", columns, coupon_id=row_id(coupon))

    def tier(self, member: int, level: str) -> None:
        self.put(
            "member_tiers",
            member_id=row_id(member),
            scheme="club",
            level=level,
            scheme_version=1,
            has_gifts_due=False,
        )

    def lot(self, profile: int, open_points: int, expires_at: datetime) -> None:
        self.put(
            "points_lots",
            lot_id=uuid.uuid4(),
            profile_id=row_id(profile),
            granted_points=open_points,
            earned_points=open_points,
            pending_points=0,
            open_points=open_points,
            expired_points=0,
            earned_at=PLACED,
            opens_at=PLACED,
            expires_at=expires_at,
            rule_version="earn-1",
        )

    def case(self, case: int, kind: str, closed_at: str | None = None) -> None:
        """A case, and if it is closed the step by which a person settled it."""
        self.put(
            "cases",
            case_id=row_id(case),
            kind=kind,
            object_kind="order",
            object_key=str(case),
            state="open" if closed_at is None else "closed",
            detail=Jsonb({}),
            opened_at=PLACED,
            closed_at=closed_at,
        )
        if closed_at is not None:
            self.put(
                "case_steps",
                event_key=uuid.uuid4(),
                case_id=row_id(case),
                type="case.settled",
                made_by="key",
                made_at=closed_at,
                data=Jsonb({}),
            )

    def event(
        self, entity: int, type_: str, at: str, outcome: str = "applied", channel: str = "website"
    ) -> None:
        """An event in the log, 250 ms after it was written to Kafka."""
        said = {"event_key": uuid.uuid4(), "entity_key": row_id(entity), "received_at": at}
        log_id = self.connection.execute("select nextval('log.log_id_seq')").fetchone()
        assert log_id is not None
        self.put_log(
            "events",
            **said,
            log_id=log_id[0],
            entity_kind=type_.partition(".")[0],
            source=f"/channels/{channel}/shops/main",
            event_id=str(said["event_key"]),
            type=type_,
            occurred_at=at,
            topic="t",
            partition=0,
            kafka_offset=log_id[0],
            produced_at=datetime.fromisoformat(at) - timedelta(milliseconds=250),
            body=b"{}",
        )
        self.put_log(
            "inbox",
            **said,
            log_id=log_id[0],
            payload_hash=uuid.uuid4(),
            outcome=outcome,
            is_announced=outcome == "applied",
        )
