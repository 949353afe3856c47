"""What events of allotments and live sessions carry."""

from hub.domain.payloads.base import Id, Name, Number, Payload


class AllotmentSet(Payload):
    """allotment.set: so much of an item at a place is for one channel, or one live session of it;
    buffer: kept back beyond it, for what its counter sells before it hears of a change."""

    channel: Id
    sku: Id
    place: Id
    quantity: Number
    session: Id | None = None
    buffer: Number = "0"
    reason: Name | None = None


class AllotmentConfirmed(Payload):
    """allotment.confirmed: what the channel's own counter says it can sell."""

    sku: Id
    place: Id
    quantity: Number
    session: Id | None = None


class Session(Payload):
    """session.opened and closed: a live session of the channel."""

    session: Id


TYPES: dict[str, type[Payload]] = {
    "allotment.set": AllotmentSet,
    "allotment.confirmed": AllotmentConfirmed,
    "session.opened": Session,
    "session.closed": Session,
}
