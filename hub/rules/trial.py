"""Trying rules on facts without doing anything: counts, and the difference to another version."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, structs

from hub.rules import masking, ruleset
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
    """Run a draft over facts beside the version that is live; at most 20 samples are kept, their
    personal values masked."""
    trial = Trial()
    new = Ruleset([draft])
    old = Ruleset([live] if live is not None else [])
    for fact in facts:
        trial.facts += 1
        made, before = ruleset.run(new, fact), ruleset.run(old, fact)
        _count(trial, made)
        _compare(trial, fact, _Side(live, before), _Side(draft, made))
    return trial


class _Side:
    """What one version does about a fact, by action."""

    def __init__(self, rule: Compiled | None, made: list[Run]) -> None:
        self._rule = rule
        self.effects = {effect.action: effect for run in made for effect in run.effects}

    def said(self, action: str) -> dict[str, Any] | None:
        effect = self.effects.get(action)
        return None if effect is None else _said(effect)

    def shown(self, action: str, fact: Fact) -> dict[str, Any] | None:
        effect = self.effects.get(action)
        if effect is None or self._rule is None:
            return None
        return _said(masking.masked_effect(effect, fact, self._rule))


def _count(trial: Trial, made: list[Run]) -> None:
    for run in made:
        trial.skipped += run.status == "skipped"
        if run.status == "failed":
            trial.failed += 1
            if len(trial.failures) < SAMPLES_MAX:
                trial.failures.append(run)


def _compare(trial: Trial, fact: Fact, old: _Side, new: _Side) -> None:
    for action in sorted(old.effects.keys() | new.effects.keys()):
        one, other = old.said(action), new.said(action)
        if one == other:
            trial.same += 1
            continue
        trial.created += one is None
        trial.dropped += other is None
        trial.changed += one is not None and other is not None
        if len(trial.changes) < SAMPLES_MAX:
            shown = old.shown(action, fact), new.shown(action, fact)
            trial.changes.append(Change(fact.key, action, *shown))


def _said(effect: Effect) -> dict[str, Any]:
    # The name of an effect contains the version, and so would always differ.
    return {k: v for k, v in structs.asdict(effect).items() if k not in ("effect_id", "action")}
