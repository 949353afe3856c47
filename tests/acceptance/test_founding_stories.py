"""The four complaints this hub was begun for, told by two systems through a running hub."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.demo.bakery import show
from hub.demo.bakery.stories import Teller
from hub.local.supervisor import Supervisor
from hub.settings import Settings, load
from hub.testing import free_port_base

PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "api")
START_TIMEOUT_S = 180


@pytest.fixture
def own_settings() -> Iterator[Settings]:
    """Settings of a hub of the test's own, in a folder that Postgres's service user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="hub-stories-"))
    folder.chmod(0o711)
    yield load(data_dir=folder / "hub", port_base=free_port_base())
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.timeout(420)
def test_the_founding_stories_end_well_each_time_they_are_told(own_settings: Settings) -> None:
    with Supervisor(own_settings, only=PARTS) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        with show.connected(own_settings) as clients:
            for suffix in ("", "-2"):
                told = Teller(clients, suffix).tell()
                assert {story.name: story.holds for story in told} == {
                    "guest_coupon_used_in_miniprogram": True,
                    "last_cake_sold_once": True,
                    "points_earned_on_website_spent_in_store": True,
                    "all_orders_of_a_person_in_one_place": True,
                }
