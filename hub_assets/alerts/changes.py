"""Which checks and assets changed between failing and well since an alert last said so.

Pure. Not here: where states come from (`hub_assets.components.alert_route`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import msgspec

State = Literal["failing", "recovered"]


@dataclass(frozen=True)
class Seen:
    """How something stands. name: of the check, or `freshness` of the asset itself."""

    asset: str
    name: str
    is_failing: bool
    at: float
    """When it was found so, in seconds since 1970."""
    words: str = ""
    rows: int | None = None
    """Rows that fail, where that is known; never the rows themselves."""

    @property
    def subject(self) -> str:
        """What it is called in a cursor and in a message's id."""
        return f"{self.asset}:{self.name}"


@dataclass(frozen=True)
class Change:
    """One message to be."""

    state: State
    seen: Seen

    @property
    def message_id(self) -> str:
        """The same for the same change, however often it is sent."""
        return f"{self.seen.subject}:{self.state}:{self.seen.at:.3f}"


class Cursor(msgspec.Struct):
    """What was said to be failing and not yet to have recovered: subjects."""

    failing: list[str] = []

    def after(self, change: Change) -> "Cursor":
        """What was said once this message was sent."""
        others = {one for one in self.failing if one != change.seen.subject}
        said = {change.seen.subject} if change.state == "failing" else set()
        return Cursor(sorted(others | said))


def changes(seen: Iterable[Seen], last: Cursor) -> list[Change]:
    """What is to be said, oldest first. What still fails, or never failed, is nothing new."""
    known = set(last.failing)
    found = [
        Change("failing" if one.is_failing else "recovered", one)
        for one in seen
        if one.is_failing != (one.subject in known)
    ]
    return sorted(found, key=lambda change: (change.seen.at, change.seen.subject))
