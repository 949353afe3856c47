"""The ledger of growth in Postgres: entries by profile, only ever added.

What orders bring is the difference between two of their folds, named after the event that caused
it; what channels grant is an event of its own. Tiers: `hub.store.tiers`.
"""

from hub.domain import ids, orders
from hub.domain.envelope import APPLIED, Event
from hub.domain.growth import NOTHING, Entry
from hub.domain.ids import derived
from hub.domain.orders import Folded
from hub.store.db import Connection, Rows
from hub.store.order_folds import Touched
from hub.store.records import Work

CHANNEL_RULE = "channel"
"""Rule version of what a channel itself grants."""
_ENTRIES = Rows(
    "growth_entries",
    key=("profile_id", "occurred_at", "entry_id"),
    columns={
        "entry_id": "uuid",
        "profile_id": "uuid",
        "kind": "text",
        "growth": "bigint",
        "amount_minor": "bigint",
        "currency": "text",
        "order_id": "uuid",
        "occurred_at": "timestamptz",
        "event_key": "uuid",
        "rule_version": "text",
    },
)


async def apply(connection: Connection, work: Work) -> None:
    """Enter what orders brought and what channels grant."""
    for event in work.of("growth"):
        work.verdicts[event.key] = APPLIED
        work.growth.append(_granted(event))
    await _ENTRIES.insert(connection, [_row(entry) for entry in work.growth])


def note(work: Work, event: Event, order: Touched, before: Folded, after: Folded) -> None:
    """Note the entries that an event of an order causes."""
    if before.growth == after.growth:
        return
    content = after.state.content
    terms = orders.points_terms(after.state)
    assert content is not None
    assert terms is not None
    for at in sorted(before.growth.keys() | after.growth.keys()):
        then, now = before.growth.get(at), after.growth.get(at)
        gained, told = now or (NOTHING, None), now or then
        lost = then or (NOTHING, None)
        growth = gained[0].growth - lost[0].growth
        amount = gained[0].amount_minor - lost[0].amount_minor
        if told is None or not (growth or amount):
            continue
        cause, account = at
        profile = ids.profile_id(order.channel, account)
        work.growth.append(
            Entry(
                derived("growth", event.key, cause, profile),
                profile,
                "earned" if (growth, amount) > (0, 0) else "reversed",
                growth,
                amount,
                content.currency,
                order.key,
                told[1],
                cause,
                terms.rule_version,
            )
        )


def _granted(event: Event) -> Entry:
    return Entry(
        derived("growth", event.key),
        event.entity_key,
        "granted",
        event.data.growth,
        None,
        None,
        None,
        event.occurred_at,
        event.key,
        CHANNEL_RULE,
    )


def _row(entry: Entry) -> tuple[object, ...]:
    """The fields stand in the order of the table's columns."""
    return tuple(getattr(entry, name) for name in entry.__struct_fields__)
