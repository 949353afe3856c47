"""Trying rules on facts without doing anything: counts, and the difference to another version."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from hub.rules import ruleset
from hub.rules.facts import Effect, Fact, Run
from hub.rules.ruleset import Ruleset
from hub.rules.running import Compiled

SAMPLES_MAX = 20
Key = tuple[str, str]


class Change(Struct, frozen=True):
    """What the draft would do otherwise than the live version about one event and action."""

    event_key: str
    action: str
    live: dict[str, Any] | None
    draft: dict[str, Any] | None


class Trial(Struct):
    """What came of it. created: only the draft would do; changed: both, but otherwise; same: both;
    dropped: only the live version does; skipped and failed: facts, by the draft."""

    facts: int = 0
    created: int = 0
    changed: int = 0
    same: int = 0
    dropped: int = 0
    skipped: int = 0
    failed: int = 0
    changes: list[Change] = []
    failures: list[Run] = []


def dry_run(draft: Compiled, live: Compiled | None, facts: Iterable[Fact]) -> Trial:
    """Run a draft over facts beside the version that is live; at most 20 samples are kept."""
    trial = Trial()
    new = Ruleset([draft])
    old = Ruleset([live] if live is not None else [])
    for fact in facts:
        trial.facts += 1
        made = ruleset.run(new, fact)
        _count(trial, made)
        _compare(trial, fact, _effects(ruleset.run(old, fact)), _effects(made))
    return trial


def _count(trial: Trial, made: list[Run]) -> None:
    for run in made:
        trial.skipped += run.status == "skipped"
        if run.status == "failed":
            trial.failed += 1
            if len(trial.failures) < SAMPLES_MAX:
                trial.failures.append(run)


def _compare(trial: Trial, fact: Fact, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for action in sorted(old.keys() | new.keys()):
        one, other = old.get(action), new.get(action)
        if one == other:
            trial.same += 1
            continue
        trial.created += one is None
        trial.dropped += other is None
        trial.changed += one is not None and other is not None
        if len(trial.changes) < SAMPLES_MAX:
            trial.changes.append(Change(fact.key, action, one, other))


def _effects(made: list[Run]) -> dict[str, dict[str, Any]]:
    return {effect.action: _said(effect) for run in made for effect in run.effects}


def _said(effect: Effect) -> dict[str, Any]:
    # The name of an effect contains the version, and so would always differ.
    return {k: v for k, v in structs.asdict(effect).items() if k not in ("effect_id", "action")}
