"""Each template of a sync rule, from an event over Kafka to the channel that is told."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.demo.bakery import show
from hub.demo.bakery.syncing import Syncing, syncing
from hub.local.supervisor import Supervisor
from hub.rules import drafts
from hub.settings import load
from hub.testing import free_port_base

PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "rules", "deliveries", "api")
START_TIMEOUT_S = 180
pytestmark = pytest.mark.timeout(420)


@pytest.fixture(scope="module")
def tried() -> Iterator[Syncing]:
    """A hub of the module's own, in which what each template is for has happened once."""
    folder = Path(tempfile.mkdtemp(prefix="hub-rules-"))
    folder.chmod(0o711)
    settings = load(data_dir=folder / "hub", port_base=free_port_base(), local_receivers=True)
    with Supervisor(settings, only=PARTS) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        with (
            show.connected(settings) as clients,
            show.connected_house(settings) as house,
            syncing(clients, house) as found,
        ):
            found.try_each()
            yield found
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("template", sorted(drafts.templates()))
def test_what_a_template_is_for_reaches_the_channel(tried: Syncing, template: str) -> None:
    assert tried.results[template]


def test_every_effect_of_the_order_rule_was_seen_by_the_other_channel(tried: Syncing) -> None:
    assert tried.told().holds
    assert all(count > 0 for count in tried.runs().values())
