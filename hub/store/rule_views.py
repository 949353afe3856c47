"""One run of a rule as people see it: step by step, made again from its fact, personal values
masked; with what became of each effect."""

from typing import Any

from msgspec import Struct, to_builtins

from hub.domain import ids
from hub.rules import masking, personal
from hub.rules.running import Compiled
from hub.store import deliveries, rule_book, rule_effects, rule_runs
from hub.store.db import Connection
from hub.store.rule_book import About, RuleBook, RuleBroken
from hub.store.sealing import Vault


class RunView(Struct, frozen=True):
    """A run. fact: what it read, None if the person was erased; steps: what went in and came out of
    each, in order; effects: what it had to do and how that went."""

    run: dict[str, Any]
    fact: dict[str, Any] | None
    steps: list[dict[str, Any]]
    effects: list[dict[str, Any]]


async def view(connection: Connection, vault: Vault, book: RuleBook, run_id: int) -> RunView | None:
    """A run as it may be shown; None if there is none."""
    row = await rule_runs.one(connection, run_id)
    if row is None:
        return None
    effects = await _effects(connection, row)
    try:
        compiled = await book.version(connection, row["rule"], row["version"])
    except RuleBroken:
        return RunView(shown(row), None, [], effects)
    fact, steps = await _steps(connection, vault, compiled, row)
    return RunView(shown(row), fact, steps, effects)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A run's row with its ids as text."""
    named = {name: ids.text(row[name]) for name in ("fact_key", "event_key", "entity_key")}
    hidden = ("xid", "outbox_id")
    return {name: value for name, value in (row | named).items() if name not in hidden}


async def _steps(
    connection: Connection, vault: Vault, compiled: Compiled, row: dict[str, Any]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    about = About((row["xid"], row["outbox_id"]), row["sku"], row["place"])
    found = await rule_book.made(connection, vault, compiled, about, trace=True)
    if found is None:
        return None, []
    fact, run = found
    known = personal.masked_fact(fact)
    steps = [to_builtins(step) for step in masking.masked_run(run, fact, compiled).steps]
    for step in steps:
        if step["input"] == known:
            step["input"] = "fact"  # told once, above
    return known, steps


async def _effects(connection: Connection, row: dict[str, Any]) -> list[dict[str, Any]]:
    name = (row["rule"], row["version"])
    own = await rule_effects.of_run(connection, row["fact_key"], *name)
    told = await deliveries.of_rule(connection, row["event_key"], *name)
    return [
        *(one | {"effect_id": f"eff_{one['effect_id'].hex()}"} for one in own),
        *(
            one | {"kind": "deliver", "delivery_id": ids.text(one["delivery_id"])}
            for one in told
            if row["sku"] is None
        ),
    ]
