"""What the transport must be told: names, addresses, sizes and times of one worker.

Not here: where the values come from (`hub.settings`; `streams.worker` translates).
"""

from dataclasses import dataclass

# A group member that dies is missed after this long. Static membership keeps its partitions
# for the restart, which takes 1-2 s; longer would only delay a scale-down.
SESSION_TIMEOUT_S = 10.0
HEARTBEAT_S = 2.0
# An idle consumer would not rejoin after the default of 1,000 s.
POLL_INTERVAL_MAX_S = 86_400.0
REQUEST_TIMEOUT_S = 20.0
# Faust gives up a seek silently after the request timeout: ours must end, well or badly, first.
SEEK_TIMEOUT_S = 15.0
# The group waits for a member that ends a write: half the session timeout at most.
REVOKE_PATIENCE_S = 5.0
# SIGTERM to exit within 5 s: the write in flight gets 2 of them.
STOP_PATIENCE_S = 2.0
# A quiet partition beside a busy one waits for the broker's answer this long at most.
FETCH_WAIT_MS = 50
PARTITION_FETCH_BYTES_MAX = 4 * 1024 * 1024
FETCH_BYTES_MAX = 16 * 1024 * 1024
# Large events make a write smaller than its number of records: Postgres takes 1 GiB a message.
WRITE_BYTES_MAX = 8 * 1024 * 1024
# A write that takes longer than this hangs: drop its connection and look.
STORE_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class StreamConfig:
    """One worker of a group. Sizes in records, times in the unit named last."""

    group: str
    brokers: str
    topics: tuple[str, ...]
    index: int = 0
    poll_records: int = 5000
    write_records: int = 1000
    # Writes at once: some decode and fold while Postgres works for the others.
    writers: int = 4
    linger_ms: int = 6
    commit_interval_s: float = 0.5
    session_timeout_s: float = SESSION_TIMEOUT_S
    health_port: int | None = None

    @property
    def instance_id(self) -> str:
        """The static member's name: the same after a restart, so that nothing moves."""
        return f"{self.group}-{self.index}"
