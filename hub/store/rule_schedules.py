"""Schedules of sync rules: whom one finds in its segment when it is due, and an event for each.

What was missed while nobody worked runs once, with the segment as it is then. An occurrence and
whom it found are one transaction, and so are the event and the end of its waiting: each happens
once. Not here: when a schedule is due (`hub.domain.segments`), what the rule makes of the event.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.domain import segments
from hub.domain.decisions import Decision
from hub.errors import Refused
from hub.rules.document import MEMBER_DUE, Trigger
from hub.rules.running import Compiled
from hub.store import commands, rules
from hub.store.db import Connection, queries
from hub.store.sealing import Vault
from hub.store.segments import members

AT_ONCE_MAX = 200
"""Events in one transaction."""


async def start(
    connection: Connection, scheduled: Sequence[Compiled], now: datetime, zone: ZoneInfo
) -> int:
    """Find the members of each schedule that is due or was asked for; how many schedules."""
    names = [rule.name for rule in scheduled]
    rows = await connection.fetch(queries("rule_schedules")["known"], names)
    known = {row["rule"]: row for row in rows}
    started = 0
    for rule in scheduled:
        trigger = rule.checked.rule.trigger
        schedule = trigger.schedule
        assert schedule is not None
        row = known.get(rule.name)
        if row is None or row["version"] != rule.version:
            named = (rule.name, rule.version, now)
            await connection.execute(queries("rule_schedules")["begin"], *named)
            continue
        due = segments.last_due(schedule.every, schedule.at, now, zone)
        if row["asked_at"] is not None:
            due = now
        if due > row["due_at"]:
            started += await _start(connection, rule.name, trigger, due)
    return started


async def _start(connection: Connection, rule: str, trigger: Trigger, due: datetime) -> int:
    assert trigger.schedule is not None
    segment = trigger.schedule.segment
    async with connection.transaction():
        found = await members(connection, segment, due, trigger.channels)
        sql = queries("rule_schedules")
        if await connection.fetchval(sql["take"], rule, due, len(found)) is None:
            return 0
        profiles = [one.profile_id for one in found]
        counts = [one.count for one in found]
        ends = [one.next_at for one in found]
        await connection.execute(sql["find"], rule, due, segment, profiles, counts, ends)
    return 1


async def tell_next(connection: Connection, vault: Vault, names: Sequence[str]) -> int:
    """Make the events of some whom these rules found; how many were looked at."""
    async with connection.transaction():
        sql = queries("rule_schedules")["next"]
        rows = await connection.fetch(sql, list(names), AT_ONCE_MAX)
        wanted = [
            Decision(
                MEMBER_DUE,
                row["channel"],
                "",
                row["account"],
                {
                    "account": row["account"],
                    "segment": row["segment"],
                    "rule": row["rule"],
                    "due_at": row["due_at"],
                    "count": row["count"],
                    "next_at": row["next_at"],
                },
            )
            for row in rows
            # Who was erased since is nowhere to be found.
            if row["channel"] is not None
        ]
        if wanted:
            await commands.run(connection, vault, wanted)
    return len(rows)


async def ask(connection: Connection, name: str, by: str) -> None:
    """Have it run over its segment at once. Raises `Refused` for what is not published with a
    schedule."""
    live = {one.name: rules.document_of(one) for one in await rules.live(connection)}
    if name not in live or live[name].trigger.schedule is None:
        raise Refused("no_schedule", f"no rule '{name}' with a schedule is published")
    await connection.execute(queries("rule_schedules")["ask"], name, by)
