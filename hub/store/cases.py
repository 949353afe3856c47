"""Cases: what needs a person. Here those that open and close by the state of something else."""

from collections.abc import Mapping, Set
from datetime import datetime

from msgspec import Struct

from hub.domain.ids import Key, derived
from hub.store.db import Connection, queries


class Case(Struct, frozen=True):
    """What somebody has to look at: about which object, with what is known of it."""

    kind: str
    object_kind: str
    object_key: str
    detail: dict[str, object]


async def follow(
    connection: Connection, wanted: dict[Key, Case], candidates: Set[Key], at: datetime
) -> None:
    """Open the wanted cases, close those candidates that are not wanted.

    One that is open keeps the time it was opened at.
    """
    if wanted:
        opened = sorted(wanted.items())
        await connection.execute(
            queries("cases")["open"],
            [case_id for case_id, _ in opened],
            [case.kind for _, case in opened],
            [case.object_kind for _, case in opened],
            [case.object_key for _, case in opened],
            [case.detail for _, case in opened],
            at,
        )
    if closed := sorted(candidates - wanted.keys()):
        await connection.execute(queries("cases")["close"], closed, at)


async def follow_objects(
    connection: Connection,
    kind: str,
    object_kind: str,
    found: Mapping[str, dict[str, object] | None],
    at: datetime,
) -> None:
    """One case of a kind for each object whose detail says why; none for the others."""
    by_id = {derived(kind, name.encode()): name for name in found}
    wanted = {
        case_id: Case(kind, object_kind, name, detail)
        for case_id, name in by_id.items()
        if (detail := found[name]) is not None
    }
    await follow(connection, wanted, by_id.keys(), at)
