"""Trying a tier scheme on the members there are: who would move. Nothing is written."""

from collections import Counter
from datetime import datetime
from typing import cast

from msgspec import Struct

from hub.domain.documents import Version
from hub.domain.ids import Key
from hub.domain.tier_schemes import Scheme
from hub.store import configs, tier_people, tiers
from hub.store.db import Connection, queries
from hub.store.tiers import KIND

CHUNK_MEMBERS = 1_000
FIRST = bytes(16)
Level = str | None


class Trial(Struct):
    """What a scheme would change. moves: (level now, level then) -> members; levels: level -> how
    many members would have it."""

    members: int
    moves: Counter[tuple[Level, Level]]
    levels: Counter[Level]

    @property
    def moved(self) -> int:
        return sum(self.moves.values())


async def try_scheme(connection: Connection, name: str, scheme: Scheme) -> Trial:
    """What would change if this were published as the scheme's next version, at once.

    Reads all members in the caller's transaction, a thousand at a time.
    """
    at = cast(datetime, await connection.fetchval(queries("commands")["clock"]))
    known = (await configs.versions(connection, KIND)).get(name, [])
    now = [version for version in known if version.valid_from <= at]
    then = [*now, Version(len(now) + 1, at, scheme)]
    trial = Trial(0, Counter(), Counter())
    last: Key = FIRST
    while True:
        rows = await connection.fetch(queries("tiers")["with_growth"], last, CHUNK_MEMBERS)
        if not rows:
            return trial
        last = rows[-1]["member_id"]
        members = await tiers.mates(connection, [row["member_id"] for row in rows])
        for person in (await tier_people.load(connection, {name: then}, members)).values():
            before, after = person.standing(now, at).level, person.standing(then, at).level
            trial.members += 1
            trial.levels[after] += 1
            if before != after:
                trial.moves[before, after] += 1
