from typing import Any

import pytest

from hub_assets.check_words import words


def generic(name: str, **arguments: Any) -> dict[str, Any]:
    return {
        "name": f"{name}_orders_status",
        "description": "",
        "column_name": "status",
        "test_metadata": {"name": name, "kwargs": arguments},
    }


@pytest.mark.parametrize(
    ("test", "said"),
    [
        (generic("unique"), "No two rows have the same `status`."),
        (generic("not_null"), "Every row has a `status`."),
        (generic("accepted_values", values=["open", "over"]), "`status` is one of open, over."),
        (
            generic("relationships", to="ref('members')", field="member_id"),
            "Each `status` is a `member_id` of `members`.",
        ),
        ({"name": "orders_equal_the_hub", "description": ""}, "Orders equal the hub."),
        ({"name": "any", "description": "As its author says."}, "As its author says."),
    ],
)
def test_a_check_says_what_it_looks_for(test: dict[str, Any], said: str) -> None:
    assert words(test) == said
