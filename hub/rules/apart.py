"""`python -m hub.rules.apart`: tries rules in a process of its own, bounded in memory and time.

For doors that answer others meanwhile: what a rule of a stranger takes, it takes here. Reads one
JSON object from standard input and writes one; personal values leave masked. Pure but for that.
"""

import resource
import sys
from typing import Any

import msgspec
from msgspec import Struct

from hub.rules import checking, masking, personal, ruleset, running, trial
from hub.rules.facts import Fact
from hub.rules.running import Compiled

MEMORY_BYTES_MAX = 1024**3
CPU_S_MAX = 30
FACTS_MAX = 5_000


class Wanted(Struct):
    """What to try: a draft, beside the version that is live, on these facts; step by step if
    is_test is set, else counted."""

    draft: str
    facts: list[Fact]
    live: str | None = None
    allowed: list[str] = []
    is_test: bool = False


def answer(wanted: Wanted) -> Any:
    """What came of it, as plain values."""
    draft = _ready(wanted.draft, wanted.allowed)
    if wanted.is_test:
        return {"tests": [_tested(draft, fact) for fact in wanted.facts]}
    live = _ready(wanted.live, wanted.allowed) if wanted.live is not None else None
    return msgspec.to_builtins(trial.dry_run(draft, live, wanted.facts))


def _tested(draft: Compiled, fact: Fact) -> dict[str, Any]:
    runs = ruleset.run(ruleset.Ruleset([draft]), fact, trace=True)
    masked = [masking.masked_run(run, fact, draft) for run in runs]
    return {"fact": personal.masked_fact(fact), "runs": msgspec.to_builtins(masked)}


def _ready(written: str, allowed: list[str]) -> Compiled:
    return running.compile_rule(checking.check(written, allowed), 0)


def main() -> None:
    """Answer what standard input asks."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=Wanted)
    sys.stdout.buffer.write(msgspec.json.encode(answer(wanted)))


if __name__ == "__main__":
    main()
