"""Records as they come from a topic, decoded or with the reason why not, and the work of one write.

Nothing here talks to Postgres or Kafka.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from hub.domain import events, policy
from hub.domain.earning import Terms
from hub.domain.envelope import BadEvent, Event, Outcome, Verdict
from hub.domain.growth import Entry as GrowthEntry
from hub.domain.ids import Key
from hub.domain.order_data import OrderName
from hub.domain.points import Entry
from hub.domain.spends import Return
from hub.domain.stock import Change, Count

HEADERS_MAX = 100
HEADER_BYTES_MAX = 8_192


class Record(Struct, gc=False):
    """One record of a topic: the event in it, or why there is none."""

    topic: str
    partition: int
    offset: int
    produced_at: datetime
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    body: bytes | None
    event: Event | None = None
    bad: BadEvent | None = None

    def headers_json(self) -> list[list[str]] | None:
        """Headers as JSON keeps them; bytes that are no text keep their value by escapes."""
        if not self.headers:
            return None
        return [
            [name.replace("\0", "\\0")[:HEADER_BYTES_MAX], _text(value)]
            for name, value in self.headers[:HEADERS_MAX]
        ]


def _text(value: bytes | None) -> str:
    # Kafka allows a null value; NUL is text that Postgres cannot keep.
    text = (value or b"")[:HEADER_BYTES_MAX].decode("utf-8", "backslashreplace")
    return text.replace("\0", "\\0")


def decode(record: Record, now: datetime | None) -> Record:
    """Fill in the record's event, or why it is bad."""
    try:
        record.event = _event(record, now)
    except BadEvent as bad:
        record.bad = bad
    return record


def _event(record: Record, now: datetime | None) -> Event:
    if record.body is None:
        raise BadEvent("tombstone", "the record has no value: events are added, never deleted")
    if not record.headers:
        return events.decode(record.body, now)
    if len(record.headers) > HEADERS_MAX:
        raise BadEvent("too_many_headers", f"{len(record.headers)} headers are above {HEADERS_MAX}")
    headers = dict(record.headers)
    if "ce_specversion" in headers:
        return events.decode_binary(headers, record.body, now)
    return events.decode(record.body, now)


def reread(headers: list[list[str]] | None, body: bytes) -> Event:
    """The event of a record that is in the log: it was good once."""
    if headers:
        attributes = {name: value.encode() for name, value in headers}
        if "ce_specversion" in attributes:
            return events.decode_binary(attributes, body)
    return events.decode(body)


class Taken(Struct, gc=False):
    """A new event on its way into the log."""

    event: Event
    record: Record | None
    log_id: int


class Granted(Struct, gc=False):
    """The terms of a profile's lot as an event changed them."""

    profile_id: Key
    terms: Terms
    event_key: Key


class Tally(Struct):
    """What one write did, in events."""

    applied: int = 0
    ignored: int = 0
    parked: int = 0
    dead_letters: int = 0
    duplicates: int = 0

    @property
    def events(self) -> int:
        return self.applied + self.ignored + self.parked + self.dead_letters + self.duplicates


class Work:
    """What one write has to do: filled noun by noun, written at the end.

    taken: the new events in the order they came; verdicts: what became of them; revised: earlier
    events whose verdict these have changed, with the verdict before; stock: changes and counts
    with the place in the log that brought them; allotted: stock items (sku, place) whose
    allotments this write changes; points, growth: entries of their ledgers;
    known_lots: lots that had points before; lot_terms: of lots whose terms are new or changed;
    is_decision: the hub decides now, so what is not possible is refused; otherwise it has happened,
    and state follows; erased: profiles that this write folds and that were erased, with the time;
    members_before: of profiles whose member this write changes; points_back: what refunds of
    orders give back, by the spending it was spent with; has_supply: whether anything is known
    beside orders of what they take of stock; policy: by which members are matched; items_new:
    items described for the first time;
    forgotten: contacts (type, value) that erased persons had proved, until when; mentions: rows of
    whom events of no account name; unnamed: coupons whose recipient is forgotten by this write;
    redacted: events that named somebody who is erased now.
    """

    def __init__(
        self,
        taken: list[Taken],
        received_at: datetime,
        first_log_id: int,
        *,
        is_decision: bool = False,
    ) -> None:
        self.is_decision = is_decision
        self.taken = taken
        self.received_at = received_at
        self.first_log_id = first_log_id
        self.verdicts: dict[Key, Verdict] = {}
        self.revised: dict[Key, tuple[Event, Verdict, Verdict]] = {}
        self.log_ids = {t.event.key: t.log_id for t in taken}
        self.stock: list[tuple[int, Change | Count]] = []
        self.allotted: set[tuple[str, str]] = set()
        self.points: list[Entry] = []
        self.growth: list[GrowthEntry] = []
        self.known_lots: set[Key] = set()
        self.lot_terms: dict[Key, Granted] = {}
        self.erased: dict[Key, datetime] = {}
        self.members_before: dict[Key, Key] = {}
        self.over_before: dict[OrderName, datetime | None] = {}
        self.points_back: dict[Key, list[Return]] = {}
        self.has_supply = True
        self.policy = policy.default()
        self.items_new: set[str] = set()
        self.forgotten: dict[tuple[str, str], datetime] = {}
        self.mentions: list[tuple[object, ...]] = []
        self.unnamed: set[Key] = set()
        self.redacted = 0

    def of(self, *kinds: str) -> list[Event]:
        """The new events of these kinds of entity."""
        return [taken.event for taken in self.taken if taken.event.entity_kind in kinds]

    def judge(self, event: Event, before: dict[Key, Verdict], after: dict[Key, Verdict]) -> None:
        """Note what a new event came to, and which earlier verdicts it changed."""
        self.verdicts[event.key] = after[event.key]
        if len(after) > 1:
            self.rejudge(event, before, after)

    def rejudge(self, event: Event, before: dict[Key, Verdict], after: dict[Key, Verdict]) -> None:
        """Note which earlier verdicts on an entity changed; event: one of the entity's own."""
        for key, verdict in after.items():
            known = before.get(key)
            if known is None or known == verdict:
                continue
            if key in self.verdicts:
                self.verdicts[key] = verdict
            else:
                first = self.revised[key][1] if key in self.revised else known
                self.revised[key] = (event, first, verdict)

    def tally(self, dead_letters: int, duplicates: int) -> Tally:
        """Count the verdicts of the new events, and the parked ones that were waiting for them."""
        tally = Tally(dead_letters=dead_letters, duplicates=duplicates)
        for verdict in self.verdicts.values():
            if verdict.outcome is Outcome.APPLIED:
                tally.applied += 1
            elif verdict.outcome is Outcome.IGNORED:
                tally.ignored += 1
            else:
                tally.parked += 1
        return tally


def from_milliseconds(timestamp_ms: int) -> datetime:
    """Kafka's timestamps; -1 (none) is the epoch."""
    return datetime.fromtimestamp(max(timestamp_ms, 0) / 1000, UTC)
