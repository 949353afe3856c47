"""What a test of dbt says of a mart, in a sentence: for those whose author wrote none."""

from collections.abc import Mapping
from typing import Any


def words(test: Mapping[str, Any]) -> str:
    """The test's own description, else what it looks for; the names of our own tests say that."""
    if test.get("description"):
        return test["description"]
    asked = test.get("test_metadata") or {}
    column, arguments = test.get("column_name"), asked.get("kwargs", {})
    match asked.get("name"):
        case "unique":
            return f"No two rows have the same `{column}`."
        case "not_null":
            return f"Every row has a `{column}`."
        case "accepted_values":
            return f"`{column}` is one of {', '.join(map(str, arguments['values']))}."
        case "relationships":
            there = arguments["to"].removeprefix("ref('").removesuffix("')")
            return f"Each `{column}` is a `{arguments['field']}` of `{there}`."
        case _:
            said = test["name"].replace("_", " ").strip()
            return f"{said[:1].upper()}{said[1:]}."
