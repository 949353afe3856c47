"""Alerts as a receiver sees them: one for a failure however often it is found, one for recovery."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster.components.testing.utils import component_defs

from hub_assets.alerts import delivery
from hub_assets.components import AlertRoutes
from tests.integration.assets.receiver import Receiver, receiver

pytestmark = pytest.mark.filterwarnings("ignore")  # Dagster warns of its own matters

ORDERS = dg.AssetKey(["hub", "orders"])
URL = "TEST_ALERT_URL"


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec("orders_equal_their_lines", asset=ORDERS),
        dg.AssetCheckSpec("refunds_stay_within_payments", asset=ORDERS),
    ]
)
def invariants() -> Iterator[dg.AssetCheckResult]:
    """Never run here: results are reported."""
    yield from ()


class Stage:
    """One route over an instance of Dagster."""

    def __init__(self, instance: dg.DagsterInstance, received: Receiver, **route: object) -> None:
        made = AlertRoutes.from_attributes_dict(
            attributes={"routes": [{"name": "test", "kind": "webhook", "url_env": URL, **route}]}
        )
        there = dg.Definitions(assets=[dg.AssetSpec(ORDERS)], asset_checks=[invariants])
        self.definitions = dg.Definitions.merge(there, component_defs(component=made))
        self.instance = instance
        self.received = received
        self.cursor: str | None = None

    def found(self, passed: bool, name: str = "orders_equal_their_lines") -> None:
        """A check ran."""
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                check_name=name,
                asset_key=ORDERS,
                passed=passed,
                metadata={"violations": 0 if passed else 2},
                description="I3: an order's amounts are the sums of its lines",
            )
        )

    def look(self) -> list[str]:
        """One tick of the sensor; the types of the messages that came by it."""
        before = len(self.received.bodies)
        sensor = self.definitions.resolve_sensor_def("alert_test")
        with dg.build_sensor_context(
            self.instance, cursor=self.cursor, definitions=self.definitions
        ) as context:
            data = sensor.evaluate_tick(context)
        self.cursor = data.cursor or self.cursor
        return [body["type"] for body in self.received.bodies[before:]]


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(delivery, "BACKOFF_S", 0.0)
    with receiver() as found:
        monkeypatch.setenv(URL, found.url)
        yield found


@pytest.fixture
def stage(instance: dg.DagsterInstance, received: Receiver) -> Stage:
    return Stage(instance, received)


def test_a_check_that_fails_twice_gives_one_message_and_one_when_it_recovers(stage: Stage) -> None:
    assert stage.look() == []
    stage.found(False)
    assert stage.look() == ["check.failing"]
    stage.found(False)
    assert stage.look() == []
    stage.found(True)
    assert stage.look() == ["check.recovered"]
    assert stage.look() == []
    assert stage.received.bodies[0]["check"] == "orders_equal_their_lines"
    assert stage.received.bodies[0]["rows"] == 2
    assert "I3" in stage.received.bodies[0]["text"]


def test_a_receiver_that_is_away_gets_the_message_later_and_once(
    stage: Stage, received: Receiver
) -> None:
    received.answers = [500] * delivery.TRIES_MAX
    stage.found(False)
    assert stage.look() == ["check.failing"] * delivery.TRIES_MAX  # each was refused
    assert stage.look() == ["check.failing"]
    assert stage.look() == []
    assert len({one["webhook-id"] for one in received.headers}) == 1


def test_a_hiccup_is_tried_again_at_once(stage: Stage, received: Receiver) -> None:
    received.answers = [503]
    stage.found(False)
    assert len(stage.look()) == 2
    assert stage.look() == []


def test_a_redirect_is_not_followed(stage: Stage, received: Receiver) -> None:
    received.answers = [307] * delivery.TRIES_MAX
    stage.found(False)
    assert len(stage.look()) == delivery.TRIES_MAX
    assert len(stage.look()) == 1  # still to be said


def test_what_is_not_selected_is_not_told(instance: dg.DagsterInstance, received: Receiver) -> None:
    refunds = Stage(instance, received, checks=["refunds_*"])
    elsewhere = Stage(instance, received, assets="key:marts/*")
    named = Stage(instance, received, assets='key:"hub/orders"', checks=["orders_*"])
    refunds.found(False)
    assert refunds.look() == []
    assert elsewhere.look() == []
    assert named.look() == ["check.failing"]
    refunds.found(False, "refunds_stay_within_payments")
    assert refunds.look() == ["check.failing"]


def test_without_an_address_nothing_is_sent(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL)
    stage.found(False)
    assert stage.look() == []
    assert stage.cursor is None
