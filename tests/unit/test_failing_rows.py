"""Which columns of failing rows anybody may see."""

from typing import Any

from hub_assets.failing_rows import shown_columns


def manifest(**models: dict[str, bool]) -> dict[str, Any]:
    """model -> column -> whether it is personal."""
    return {
        "nodes": {
            f"model.{name}": {
                "resource_type": "model",
                "unique_id": f"model.{name}",
                "columns": {
                    column: {"config": {"meta": {"personal": personal}}}
                    for column, personal in columns.items()
                },
            }
            for name, columns in models.items()
        }
    }


def node(column: str | None, *models: str) -> dict[str, Any]:
    """A test of a column, or of whole rows, that reads these models."""
    return {"column_name": column, "depends_on": {"nodes": [f"model.{name}" for name in models]}}


HUB = manifest(
    identities={"profile_id": False, "account": True},
    orders={"order_id": False, "profile_id": False},
)


def test_personal_columns_are_never_shown() -> None:
    assert shown_columns(HUB, node(None, "identities")) == {"profile_id", "n_records"}


def test_a_column_that_is_personal_anywhere_is_shown_nowhere() -> None:
    both = manifest(a={"account": True}, b={"account": False, "id": False})
    assert "account" not in shown_columns(both, node(None, "b"))


def test_what_a_test_computes_under_another_name_is_not_shown() -> None:
    assert "buyer" not in shown_columns(HUB, node(None, "orders"))


def test_the_value_of_a_test_of_a_personal_column_is_not_shown() -> None:
    assert "unique_field" not in shown_columns(HUB, node("account", "identities"))
    assert "unique_field" in shown_columns(HUB, node("order_id", "orders"))
