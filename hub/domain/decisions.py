"""Decisions: what the hub itself decides, as events of its own. Pure.

A decision is an event like any other, with the source `/hub` and the channel and shop it was made
for beside it. So the log tells everything, and a replay needs no path of its own. Channels cannot
send one: see `hub.domain.events`.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

SOURCE = "/hub"
HOPS = "hubhops"
"""Attribute of events that effects of rules led to: how many in a row. A channel that tells of what
a delivery made it do may give it back."""
HOPS_KNOWN_MAX = 1_000


class Decision(Struct, frozen=True):
    """One decision to be made: its type, the entity's own name, and the payload as JSON holds it.

    channel and shop: for whom it is made; they are part of the entity's identity. event_id: its
    name where that is known before, so that it is made once; hops: how many effects of rules led
    to it.
    """

    type: str
    channel: str
    shop: str
    subject: str
    data: dict[str, Any]
    event_id: str = ""
    hops: int = 0


def cloud_event(decision: Decision, event_id: str, at: datetime) -> bytes:
    """The decision as a CloudEvent in JSON. event_id: unique among all decisions."""
    hops = {HOPS: decision.hops} if decision.hops else {}
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": event_id,
            "source": SOURCE,
            "type": decision.type,
            "time": at,
            "subject": decision.subject,
            "channel": decision.channel,
            "shop": decision.shop,
            **hops,
            "data": decision.data,
        }
    )
