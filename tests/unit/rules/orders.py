"""Facts and rules for the tests of rules: the example events, and the shortest rule."""

from datetime import datetime
from typing import Any

import msgspec

from hub.domain import schemas
from hub.rules import checking, running
from hub.rules.facts import Fact
from hub.rules.running import Compiled


def fact(event_type: str = "order.placed", channel: str = "mini-program", **data: Any) -> Fact:
    """The example of a type as a fact, with these fields otherwise."""
    known = msgspec.json.decode(schemas.example(event_type))
    at = datetime.fromisoformat(known["time"])
    subject = known.get("subject", "")
    name = known["id"]
    said = known["data"] | data
    return Fact(f"key-{name}", name, event_type, channel, "bakery", subject, at, said)


def written(name: str = "r", events: str = "order.placed", **parts: str) -> str:
    """A rule that delivers to the website, with these parts in YAML otherwise."""
    known = {
        "trigger": f"{{events: [{events}]}}",
        "map": "[{target: number, from: event.subject}]",
        "actions": "[{do: deliver, id: send, to: website}]",
    } | parts
    return f"rule: {name}\n" + "".join(f"{key}: {value}\n" for key, value in known.items())


def compiled(text: str, version: int = 1) -> Compiled:
    """The rule, ready to run."""
    return running.compile_rule(checking.check(text), version)
