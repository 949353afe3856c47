"""The questions of docs/analyst.md, asked as the analyst asks them."""

import re
from pathlib import Path

import pytest

from hub_assets.testing import Hub, Warehouse

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PAGE = Path(__file__).parents[3] / "docs" / "analyst.md"
QUESTIONS = re.findall(r"^## (.*?)\n.*?```sql\n(.*?)```", PAGE.read_text("utf-8"), re.S | re.M)


def test_every_question_of_the_walk_is_answered_to_an_analyst(warehouse: Warehouse) -> None:
    assert len(QUESTIONS) == 10
    with warehouse.writer() as connection:
        hub = Hub(connection)
        hub.member(11)  # a member is named after its smallest profile
        hub.profile(11, 11)
        hub.order(1, {"1": 1000, "2": 500}, profile=11)
        hub.order(2, {"1": 700}, profile=11)
        hub.points(11, 100)
    assert warehouse.check(), warehouse.results
    answers = {title: warehouse.rows(query, role="analyst") for title, query in QUESTIONS}
    [sold] = answers["What did each channel sell, day by day?"]
    assert sold[1:4] == ("website", 2, 2200)
    [(owed, _, _)] = answers["What do we owe in points, and what expires soon?"]
    assert owed == 100
