"""The complaints this hub was begun for, told through a running hub: four by the events and calls
of two systems, two by customers of the sample channels."""

import pytest

from hub.demo.bakery import shopping, show
from hub.demo.bakery.stories import Teller
from hub.local.supervisor import Supervisor
from hub.settings import Settings

PARTS = ("postgres", "migrations", "kafka", "topics", "worker", "deliveries", "api")
START_TIMEOUT_S = 180


@pytest.mark.timeout(420)
def test_the_founding_stories_end_well_each_time_they_are_told(own_settings: Settings) -> None:
    settings = own_settings.model_copy(update={"local_receivers": True})
    with Supervisor(settings, only=PARTS) as hub:
        hub.wait_ready(timeout_s=START_TIMEOUT_S)
        with show.connected(settings) as clients:
            for suffix in ("", "-2"):
                told = Teller(clients, suffix).tell() + shopping.tell(settings, suffix)
                assert {story.name: story.holds for story in told} == {
                    "guest_coupon_used_in_miniprogram": True,
                    "last_cake_sold_once": True,
                    "points_earned_on_website_spent_in_store": True,
                    "all_orders_of_a_person_in_one_place": True,
                    "bought_on_the_website_gone_in_the_miniprogram": True,
                    "voucher_of_the_website_is_a_cake_by_the_miniprogram": True,
                }
