"""The four complaints this hub was begun for, told by two systems through a running hub."""

import pytest

from hub.demo.bakery import show
from hub.demo.bakery.stories import Teller
from hub.local.supervisor import Supervisor
from hub.settings import Settings

PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "api")
START_TIMEOUT_S = 180


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
