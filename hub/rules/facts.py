"""What rules read and what they give: facts in, runs with effects or named failures out."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from msgspec import Struct

HOPS_MAX = 8
"""How many effects may lead to one another before rules are taken to go in circles."""
STOCK_CHANGED = "stock.changed"
"""No event: that a stock position is another one now, whatever changed it. Told as it is then."""
Status = Literal["done", "skipped", "failed"]


class Fact(Struct, frozen=True, gc=False):
    """One applied event or decision. key: its identity; hops: how many effects led to it."""

    key: str
    id: str
    type: str
    channel: str
    shop: str
    subject: str
    time: datetime
    data: dict[str, Any]
    hops: int = 0

    def event(self) -> dict[str, str]:
        """What stands under `event` in paths and expressions."""
        return {
            "id": self.id,
            "type": self.type,
            "channel": self.channel,
            "shop": self.shop,
            "subject": self.subject,
            "time": _utc(self.time).isoformat(timespec="milliseconds"),
        }


def _utc(time: datetime) -> datetime:
    return time if time.tzinfo is UTC else time.astimezone(UTC)


class Effect(Struct, frozen=True, gc=False):
    """One thing to be done. effect_id: the same whenever this rule meets this event.

    modes: which quantities of the body are changes and which are counts. after_s: how long the
    rule waits before it.
    """

    effect_id: str
    action: str
    do: str
    to: str
    body: dict[str, Any]
    modes: dict[str, str]
    order_key: str
    hops: int
    after_s: int = 0


class Failure(Struct, frozen=True, gc=False):
    """Why something could not be done: where in the rule, a stable code, the reason in words."""

    path: str
    code: str
    reason: str


class Step(Struct, frozen=True):
    """One step of a run as it is shown: what went in and what came out."""

    path: str
    kind: str
    input: Any
    output: Any


class Run(Struct, frozen=True, gc=False):
    """What one version of a rule makes of one fact."""

    rule: str
    version: int
    event_key: str
    status: Status
    effects: tuple[Effect, ...] = ()
    failures: tuple[Failure, ...] = ()
    steps: tuple[Step, ...] = ()


def effect_id(rule: str, version: int, event_key: str, action: str) -> str:
    """The name of an effect: done once under this name, whatever happens."""
    said = f"{rule}\n{version}\n{event_key}\n{action}"
    return "eff_" + sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]
