"""When a person may be told something: consent, quiet hours, and how often. Pure.

The policy is data (configuration of kind `notices`, document `default`). Whom the hub tells what is
said by rules (`notify`); what a person allowed and was told before: `hub.store.notices`.
"""

from datetime import datetime, time, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from hub.domain.documents import BadDocument, Document, convert

KIND, NAME = "notices", "default"
Purpose = Annotated[str, Meta(min_length=1, max_length=128)]
Clock = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM")]


class Quiet(Struct, frozen=True, forbid_unknown_fields=True):
    """Hours of the business's zone in which nobody is told anything; `until` may be next day."""

    since: Clock
    until: Clock


class Cap(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `max` notices of a purpose to one person in so many days."""

    purpose: Purpose
    max: Annotated[int, Meta(ge=1, le=1_000)]
    days: Annotated[int, Meta(ge=1, le=366)]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for all notices, but for those of a purpose in `free`, such as a cake that can be
    picked up: these need no consent, and wait for no morning."""

    quiet: Quiet | None = Quiet("21:00", "08:00")
    caps: Annotated[tuple[Cap, ...], Meta(max_length=20)] = (Cap("marketing", 3, 7),)
    free: Annotated[tuple[Purpose, ...], Meta(max_length=20)] = ("service",)

    def cap_of(self, purpose: str) -> Cap | None:
        """How often notices of this purpose may come."""
        return next((cap for cap in self.caps if cap.purpose == purpose), None)

    def quiet_until(self, here: datetime) -> datetime | None:
        """When the quiet hours are over that hold at a time of the business's zone; None if none
        do."""
        if self.quiet is None:
            return None
        since, until = time.fromisoformat(self.quiet.since), time.fromisoformat(self.quiet.until)
        now = here.time()
        is_over_night = since > until
        if not (now >= since or now < until if is_over_night else since <= now < until):
            return None
        day = here.date() + timedelta(days=1 if now >= until else 0)
        return datetime.combine(day, until, here.tzinfo)


def read(document: Document) -> Policy:
    """The policy of a document. Raises `BadDocument`."""
    policy = convert(document, Policy)
    purposes = [cap.purpose for cap in policy.caps]
    for index, purpose in enumerate(purposes):
        if purpose in purposes[:index]:
            raise BadDocument(f"{purpose} is capped twice", f"$.caps[{index}].purpose")
    return policy
