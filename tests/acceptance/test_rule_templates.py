"""Each template of a sync rule, from an event over Kafka to the channel that is told."""

from collections.abc import Iterator

import pytest

from hub import testing
from hub.demo.bakery import show
from hub.demo.bakery.syncing import Syncing, syncing
from hub.local.supervisor import Supervisor
from hub.rules import drafts

PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "rules", "deliveries", "api")
START_TIMEOUT_S = 180
pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def tried() -> Iterator[Syncing]:
    """A hub of the module's own, in which what each template is for has happened once."""
    with (
        testing.own_settings(local_receivers=True) as settings,
        Supervisor(settings, only=PARTS) as hub,
    ):
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        with (
            show.connected(settings) as clients,
            show.connected_house(settings) as house,
            syncing(clients, house) as found,
        ):
            found.try_each()
            yield found


@pytest.mark.parametrize("template", sorted(drafts.templates()))
def test_what_a_template_is_for_reaches_the_channel(tried: Syncing, template: str) -> None:
    assert tried.results[template]


def test_every_effect_of_the_order_rule_was_seen_by_the_other_channel(tried: Syncing) -> None:
    assert tried.told().holds
    assert all(count > 0 for count in tried.runs().values())
