"""`hub doctor`: what is wrong with this machine for a hub, and how to mend it.

Each check is a function from settings to problems, in the module of what it looks at. Not
here: printing (`hub.cli.doctor`).
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from hub.local.doctor import downloads, folders, machine, servers
from hub.local.doctor.problem import Problem
from hub.settings import Settings

Check = Callable[[Settings], Iterator[Problem]]

CHECKS: tuple[Check, ...] = (
    machine.python_is_the_right_one,
    machine.memory_suffices,
    machine.ports_are_free,
    machine.java_is_new_enough,
    machine.settings_are_known,
    machine.a_browser_is_there,
    folders.data_folder_is_ours,
    folders.disk_suffices,
    folders.cache_is_usable,
    servers.postgres_answers,
    servers.kafka_answers,
    downloads.kafka_is_here_or_reachable,
)


@dataclass(frozen=True)
class Report:
    """What was found; `ok` if there are only notes."""

    problems: list[Problem]
    speeds: list[downloads.Speed]

    @property
    def ok(self) -> bool:
        """Whether a hub can run here."""
        return not any(problem.level == "problem" for problem in self.problems)

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "ok": self.ok,
            "problems": [asdict(problem) for problem in self.problems],
            "mirrors": [asdict(speed) for speed in self.speeds],
        }


def examine(settings: Settings, *, measure_mirrors: bool = False) -> Report:
    """Run all checks; measure the sources of downloads only if asked."""
    problems = [problem for check in CHECKS for problem in check(settings)]
    speeds = downloads.measure(settings) if measure_mirrors else []
    return Report(problems, speeds)
