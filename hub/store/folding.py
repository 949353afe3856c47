"""Folding new events into the entities they are about: what coupons and profiles have in common.

Orders fold event by event (`hub.store.orders`), since each event's effects are a difference.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol, TypeVar

from hub.domain.envelope import EVENTS_MAX, TOO_MANY, Event, Verdict
from hub.domain.ids import Key
from hub.store.records import Work


class Fold(Protocol):
    """What any noun's fold gives."""

    verdicts: dict[Key, Verdict]


_Fold = TypeVar("_Fold", bound=Fold)


def refold(
    work: Work,
    new: Sequence[Event],
    past: dict[Key, list[Event]],
    fold: Callable[[list[Event]], _Fold],
    always: Collection[str] = (),
) -> tuple[dict[Key, _Fold], dict[Key, _Fold]]:
    """The folds of the touched entities before this write and after it; judges the new events.

    past: the events of each entity that are in the log; always: types that no limit keeps out.
    """
    was = {key: fold(past.get(key, [])) for key in sorted({event.entity_key for event in new})}
    now = dict(was)
    for event in new:
        events = past.setdefault(event.entity_key, [])
        if len(events) >= EVENTS_MAX and event.type not in always:
            work.verdicts[event.key] = TOO_MANY
            continue
        before = now[event.entity_key]
        events.append(event)
        now[event.entity_key] = fold(events)
        work.judge(event, before.verdicts, now[event.entity_key].verdicts)
    return was, now
