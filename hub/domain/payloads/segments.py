"""What an event of a segment carries."""

from hub.domain.payloads.base import Id, Payload, Time


class MemberDue(Payload):
    """segment.member_due: an account of a member who was in a segment when a rule's schedule was
    due. count: how much of what the segment is about; next_at: when the first of it ends."""

    account: Id
    segment: Id
    rule: Id
    due_at: Time
    count: int
    next_at: Time | None = None


TYPES: dict[str, type[Payload]] = {"segment.member_due": MemberDue}
