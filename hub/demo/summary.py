"""What the demo found: the figures and whether every proof holds. How it looks is not here."""

from dataclasses import asdict, dataclass
from typing import Any

from hub.demo.bakery.show import Shown
from hub.demo.marts import Refreshed
from hub.demo.oracle.comparing import Compared
from hub.demo.oracle.journey import HOUSEHOLDS
from hub.demo.progress import Outcomes


@dataclass(frozen=True)
class Measured:
    """What was measured while feeding; latencies from produced to visible, at a calm rate."""

    events_per_s: float
    visible_ms_p50: float
    visible_ms_p99: float
    twice: int
    late: int
    swapped: int
    killed: tuple[str, ...]


@dataclass(frozen=True)
class Summary:
    """Everything the demo shows in the end."""

    shown: Shown
    events_in: int
    outcomes: Outcomes
    measured: Measured
    refreshed: Refreshed
    invariants: dict[str, int]
    comparison: Compared
    wall_s: float

    @property
    def source_equals_marts(self) -> bool:
        """Every row of every mart and every metric equal, and the households found again."""
        return self.comparison.is_equal and self.comparison.members == HOUSEHOLDS

    @property
    def holds(self) -> bool:
        """Whether every proof of the demo holds."""
        settled = not (self.outcomes.parked or self.outcomes.dead_letters)
        built = self.refreshed.is_complete and not self.failed_checks
        told = all(story.holds for story in self.shown.stories)
        agree = all(self.refreshed.lists_agree.values())
        return settled and built and agree and told and self.source_equals_marts

    @property
    def failed_checks(self) -> list[str]:
        """Data tests of the marts and invariants of the store that do not hold."""
        broken = {name for name, violations in self.invariants.items() if violations}
        return sorted(broken.union(self.refreshed.failed))

    def figures(self) -> dict[str, Any]:
        """The line of JSON: stable names first, then what else is worth knowing."""
        return {
            "events_in": self.events_in,
            "applied": self.outcomes.applied,
            "ignored": self.outcomes.ignored,
            "parked": self.outcomes.parked,
            "dead_letters": self.outcomes.dead_letters,
            "events_per_s": round(self.measured.events_per_s, 1),
            "visible_ms_p50": self.measured.visible_ms_p50,
            "visible_ms_p99": self.measured.visible_ms_p99,
            "marts": self.refreshed.rows,
            "checks_passed": self.refreshed.checks_passed,
            "checks_failed": len(self.failed_checks),
            "source_equals_marts": self.source_equals_marts,
            "compared_with_lists": self.refreshed.compared,
            "sync_accuracy": self.comparison.accuracy,
            "disputes_before": asdict(self.shown.before.disputes),
            "disputes_after": asdict(self.shown.after.disputes),
            "stories": {story.name: story.holds for story in self.shown.stories},
            "rule_runs": self.shown.rule_runs,
            "wall_s": round(self.wall_s, 1),
            "duplicates": self.outcomes.duplicates,
            "decisions": self.outcomes.decisions,
            "sent_twice": self.measured.twice,
            "sent_late": self.measured.late,
            "sent_swapped": self.measured.swapped,
            "killed": list(self.measured.killed),
            "households_found": self.comparison.members,
            "keys_compared": self.comparison.keys,
            "compared": self.comparison.rows,
            "differences": self.comparison.differences,
            "failed_checks": self.failed_checks,
            "invariants": self.invariants,
        }
