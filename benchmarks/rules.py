"""How fast rules decide: orders through the engine with none, 50 and 550 rules. Pure, one core.

Not here: reading facts from the outbox and writing what comes of them.
"""

import json
import statistics
import sys
import time
from datetime import datetime

import msgspec

from hub.domain import schemas
from hub.rules import checking, ruleset, running
from hub.rules.facts import Fact
from hub.rules.ruleset import Ruleset

ORDERS = 2_000
ROUNDS = 3
MATCHING = 3
COMPARING = 22
EQUALITY = 25
"""Of 50 rules 3 match an order, 22 compare and do not, 25 demand another place."""
MORE = 500
_MATCH = "{field: data.total, op: gt, value: '10', type: money}"
_NO_MATCH = (
    "{cel: 'data.lines.size() > 100'}",
    "{field: data.total, op: gt, value: '100000', type: money}",
)


def main() -> None:
    """Print the figures as one line of JSON."""
    fifty = [_rule(i, _MATCH) for i in range(MATCHING)]
    fifty += [_rule(100 + i, _NO_MATCH[i % 2]) for i in range(COMPARING)]
    fifty += [_rule(200 + i, _place(i)) for i in range(EQUALITY)]
    more = [_rule(1_000 + i, _place(1_000 + i)) for i in range(MORE)]
    rules = {"no_rules": [], "50_rules": fifty, "550_rules": fifty + more}
    ready = {
        name: Ruleset(_compiled(written) for written in these) for name, these in rules.items()
    }
    facts = [_fact(number) for number in range(ORDERS)]
    seconds: dict[str, list[float]] = {name: [] for name in ready}
    for round_number in range(ROUNDS):
        for name, these in ready.items():
            seconds[name].append(_measured(these, facts))
        print(f"round {round_number + 1} of {ROUNDS}", file=sys.stderr)  # noqa: T201
    medians = {name: statistics.median(measured) for name, measured in seconds.items()}
    figures = {f"engine_orders_per_s_{name}": round(ORDERS / s) for name, s in medians.items()}
    figures["rules_per_s"] = round(ORDERS * len(fifty) / medians["50_rules"])
    mix = {"rules": len(fifty), "match_an_order": MATCHING, "more_without_match": MORE}
    print(json.dumps(figures | {"mix": mix}))  # noqa: T201 - the command's result


def _measured(rules: Ruleset, facts: list[Fact]) -> float:
    started = time.perf_counter()
    effects = sum(len(run.effects) for fact in facts for run in ruleset.run(rules, fact))
    taken = time.perf_counter() - started
    assert effects == (ORDERS * MATCHING if rules.rules else 0)
    return taken


def _rule(number: int, condition: str) -> str:
    return (
        f"rule: rule-{number}\ntrigger: {{events: [order.placed]}}\nwhen: [{condition}]\n"
        "map:\n"
        "  - {target: number, from: data.order_number}\n"
        "  - {target: total_fen, from: data.total, type: money, output: minor}\n"
        "  - {target: placed_at, from: event.time, type: time, zone: Asia/Shanghai}\n"
        "actions: [{do: deliver, id: send, to: website}]\n"
    )


def _place(number: int) -> str:
    return f"{{field: data.place, op: eq, value: store-{number}}}"


def _compiled(written: str) -> running.Compiled:
    return running.compile_rule(checking.check(written), 1)


def _fact(number: int) -> Fact:
    known = msgspec.json.decode(schemas.example("order.placed"))
    at = datetime.fromisoformat(known["time"])
    name = f"e-{number}"
    return Fact(name, name, "order.placed", "web", "1", f"W-{number}", at, known["data"])


if __name__ == "__main__":
    main()
