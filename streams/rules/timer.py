"""Starts rules that run by a schedule when they are due, and makes an event for each member found.

The events then run as any fact does (`streams.rules.runner`).
"""

import time
from zoneinfo import ZoneInfo

from hub.rules.running import Compiled
from hub.store import rule_schedules
from hub.store.db import Connection
from hub.store.sealing import Vault
from streams.rules.doer import Clock

LOOK_EVERY_S = 1.0


class Timer:
    """Looks at the schedules of the rules that are in force. clock: what time it is."""

    def __init__(self, vault: Vault, zone: ZoneInfo, clock: Clock) -> None:
        self._vault, self._zone, self._clock = vault, zone, clock
        self._looked_at_s = 0.0
        self._is_telling = True

    async def turn(self, connection: Connection, rules: list[Compiled]) -> bool:
        """Start what is due, and tell of some members; whether there was anything."""
        if not rules or not (self._is_telling or self._is_time()):
            return False
        self._looked_at_s = time.monotonic()
        await rule_schedules.start(connection, rules, self._clock(), self._zone)
        names = [rule.name for rule in rules]
        told = await rule_schedules.tell_next(connection, self._vault, names)
        self._is_telling = told > 0
        return self._is_telling

    def _is_time(self) -> bool:
        return time.monotonic() - self._looked_at_s >= LOOK_EVERY_S
