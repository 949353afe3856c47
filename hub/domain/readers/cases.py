"""Cases and approvals: named by the id the hub gave them."""

from typing import Any

from hub.domain import ids
from hub.domain.envelope import BadEvent
from hub.domain.readers.base import Read, Reader


def _named(kind: str) -> Reader:
    field = f"{kind}_id"

    def reader(channel: str, shop: str, payload: Any) -> Read:
        name: str = getattr(payload, field)
        try:
            key = ids.parse(name)
        except ValueError:
            raise BadEvent("id_invalid", f"'{name}' is no id", f"$.data.{field}") from None
        return kind, name, key, payload

    return reader


READERS: dict[str, Reader] = {
    "case.opened": _named("case"),
    "case.assigned": _named("case"),
    "case.noted": _named("case"),
    "case.settled": _named("case"),
    "approval.asked": _named("approval"),
    "approval.granted": _named("approval"),
    "approval.declined": _named("approval"),
}
DECIDED = frozenset(READERS)
