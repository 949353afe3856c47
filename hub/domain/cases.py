"""Cases: what needs a person, what can be done about it, and who works on it. Pure.

A case opens and closes by the state of its object. Some differences no state can mend (a parcel
that lost a cake): there a person settles the case by an action, and it stays closed while what is
known stays as it was. A note alone ends nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from hub.domain.ids import Key

Action = Literal["compensated", "written_off", "confirmed"]
"""compensated: the member got something for it; written_off: the loss is borne; confirmed: somebody
made sure that things are right as they are."""


class Words(Struct, frozen=True):
    """One text in both languages."""

    en: str
    zh: str


class Repair(Struct, frozen=True):
    """A way to end a case by changing its object's state: a command of the API."""

    command: str
    words: Words


class Kind(Struct, frozen=True):
    """A kind of case: its title, the repairs worth offering, and the actions that settle it."""

    title: Words
    repairs: tuple[Repair, ...] = ()
    actions: tuple[Action, ...] = ()


class Step(Struct, frozen=True):
    """One thing a person did with a case: a type of event, and its payload."""

    event_key: Key
    type: str
    at: datetime
    data: Any


class Handling(Struct):
    """Who works on a case and what was done; settled: what was known when it was settled."""

    assignee: str | None = None
    due_at: datetime | None = None
    priority: str = "normal"
    settled: dict[str, Any] | None = None


def handle(steps: Sequence[Step]) -> Handling:
    """The handling that all steps of a case come to, in whatever order they are given."""
    handling = Handling()
    for step in sorted(steps, key=lambda step: (step.at, step.event_key)):
        if step.type == "case.assigned":
            handling.assignee = step.data.assignee
            handling.due_at = step.data.due_at
            handling.priority = step.data.priority
        elif step.type == "case.settled":
            handling.settled = step.data.known
    return handling
