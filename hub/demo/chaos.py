"""Killing parts of the hub while it streams: workers five times, broker and database once each.

`kill -9` of the whole process group; the supervisor starts them again. Nothing here waits for that.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.local.supervisor import Supervisor

VICTIMS = ("worker-0", "worker-1", "postgres", "worker-0", "kafka", "worker-1", "worker-0")


@dataclass
class Chaos:
    """Kills the next victim each time another `every` events were produced."""

    hub: Supervisor
    every: int
    say: Callable[[str], None] = lambda _: None
    killed: list[str] = field(default_factory=list)

    async def strike(self, produced: int) -> None:
        """Kill what it is time for."""
        due = min(produced // self.every, len(VICTIMS))
        for victim in VICTIMS[len(self.killed) : due]:
            pid = self.hub.kill(victim)
            self.killed.append(victim)
            self.say(f"kill -9 {victim} (pid {pid}) after {produced} events")


def spread(events: int) -> int:
    """How many events apart the kills must be to fall into a stream of so many."""
    return max(events // (len(VICTIMS) + 1), 1)
