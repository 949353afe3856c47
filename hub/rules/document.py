"""The document of a rule, as people and the canvas write it: its shape and its limits.

What a shape cannot say is checked in `hub.rules.checking`; what fields mean is in
`hub.rules.mapping` and `hub.rules.conditions`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from hub.rules import text
from hub.rules.problems import RuleInvalid, problem
from hub.rules.text import Source

FIELDS_MAX = 200
ACTIONS_MAX = 20
BRANCHES_MAX = 20
CONDITIONS_MAX = 50
Name = Annotated[
    str, Meta(pattern="^[a-z0-9][a-z0-9-]{0,63}$", description="lower case, digits, -")
]
Path = Annotated[
    str, Meta(max_length=256, description="such as data.lines[0].sku or event.channel")
]
Text = Annotated[str, Meta(max_length=2_000)]
Cel = Annotated[str, Meta(max_length=2_000, description="a CEL expression")]
Op = Literal["eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "exists", "starts_with"]
Type = Literal["text", "integer", "boolean", "money", "quantity", "member", "time", "phone", "list"]
Doing = Literal[
    "deliver",
    "publish",
    "issue_coupon",
    "void_coupon",
    "earn_points",
    "adjust_points",
    "set_tier",
    "tag_member",
    "notify",
    "open_case",
    "wait",
    "call",
]
TOLD = ("deliver", "notify")
"""What tells a channel something; a notice is for a person, and asks first whether it may."""
Gap = Literal["fail", "skip", "default"]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all parts: a word that is not known is a mistake."""


MEMBER_DUE = "segment.member_due"
"""What a schedule makes of each member it finds."""


class Schedule(_Part, frozen=True, kw_only=True):
    """When a rule runs over the members of a segment instead of upon events: `at` in the business
    zone; of an hour only its minutes count, and a week begins on Monday."""

    every: Literal["hour", "day", "week"]
    segment: Annotated[
        str, Meta(pattern="^[a-z][a-z0-9_]{0,63}$", description="one of the segments below")
    ]
    at: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$", description="HH:MM")] = (
        "09:00"
    )


class Trigger(_Part, frozen=True, kw_only=True):
    """What starts the rule: events, of these channels only if any are named; or a schedule."""

    events: Annotated[list[str], Meta(max_length=50)] = []
    channels: Annotated[list[str], Meta(max_length=50)] = []
    schedule: Schedule | None = None

    @property
    def types(self) -> list[str]:
        """The types of events that it waits for."""
        return self.events if self.schedule is None else [MEMBER_DUE]


class Condition(_Part, frozen=True, kw_only=True):
    """One of: `field` compared by `op` with `value`; `cel`; `all`, `any`, `not` of others.

    `type` money or quantity compares decimal text as numbers, time compares moments.
    """

    field: Path | None = None
    op: Op | None = None
    value: Any = None
    type: Literal["text", "money", "quantity", "time"] = "text"
    cel: Cel | None = None
    all: Annotated[list["Condition"], Meta(max_length=CONDITIONS_MAX)] | None = None
    any: Annotated[list["Condition"], Meta(max_length=CONDITIONS_MAX)] | None = None
    not_: "Condition | None" = msgspec.field(default=None, name="not")


class Lookup(_Part, frozen=True, kw_only=True):
    """The value that the table has for what stands at `key`; `otherwise` if it has none."""

    table: Name
    key: Path
    otherwise: Any = None


class Field(_Part, frozen=True, kw_only=True):
    """What fills `target`, and what it must be. In `items` paths begin with `item`.

    money: `source` and `output` are decimal ("12.30") or minor (1230). time: `zone` of the output.
    """

    target: Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*){0,9}$")]
    from_: Path | None = msgspec.field(default=None, name="from")
    constant: Any = msgspec.UNSET
    computed: Cel | None = None
    lookup: Lookup | None = None
    template: Text | None = None
    type: Type = "text"
    source: Literal["decimal", "minor"] = "decimal"
    output: Literal["decimal", "minor"] = "decimal"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CNY"
    mode: Literal["delta", "absolute"] | None = None
    zone: str = "UTC"
    phone: Literal["e164", "national"] = "e164"
    items: Annotated[list["Field"], Meta(max_length=FIELDS_MAX)] = []
    required: bool = True
    on_missing: Gap = "fail"
    on_null: Gap = "fail"
    default: Any = msgspec.UNSET


class Action(_Part, frozen=True, kw_only=True):
    """What the rule does. `to`: channel, topic, template or address; `with`: what it is given,
    the rule's `map` if it names none."""

    do: Doing
    id: Name
    to: Annotated[str, Meta(max_length=256)] = ""
    with_: Annotated[list[Field], Meta(max_length=FIELDS_MAX)] = msgspec.field(
        default_factory=list, name="with"
    )
    seconds: Annotated[int, Meta(ge=1, le=30 * 86_400)] | None = None


class Branch(_Part, frozen=True, kw_only=True):
    """One way on: the first whose conditions hold is taken."""

    name: Name
    when: Annotated[list[Condition], Meta(max_length=CONDITIONS_MAX)] = []
    actions: Annotated[list[Action], Meta(max_length=ACTIONS_MAX)]


class OnError(_Part, frozen=True, kw_only=True):
    """What happens when an action fails: how often it is tried again, and what then."""

    retries: Annotated[int, Meta(ge=0, le=20)] = 5
    then: Literal["case", "keep", "pause"] = "case"


class Rate(_Part, frozen=True, kw_only=True):
    """At most so many effects in so many seconds; the rest waits."""

    max: Annotated[int, Meta(ge=1, le=100_000)]
    seconds: Annotated[int, Meta(ge=1, le=86_400)] = 1


class Rule(_Part, frozen=True, kw_only=True):
    """A sync rule."""

    rule: Name
    title: Annotated[str, Meta(max_length=200)] = ""
    description: Text = ""
    trigger: Trigger
    when: Annotated[list[Condition], Meta(max_length=CONDITIONS_MAX)] = []
    map: Annotated[list[Field], Meta(max_length=FIELDS_MAX)] = []
    actions: Annotated[list[Action], Meta(max_length=ACTIONS_MAX)] = []
    branches: Annotated[list[Branch], Meta(max_length=BRANCHES_MAX)] = []
    tables: dict[str, dict[str, Any]] = {}
    on_error: OnError = OnError()
    rate: Rate | None = None
    order_key: Path = "event.subject"


def actions_of(rule: Rule) -> list[Action]:
    """All actions of a rule, those of its branches too."""
    return [*rule.actions, *(action for branch in rule.branches for action in branch.actions)]


def parse(written: str) -> tuple[Rule, Source]:
    """The rule that is written in JSON or YAML, in its shape only. Raises `RuleInvalid`."""
    source = text.read(written)
    return shaped(source), source


def shaped(source: Source) -> Rule:
    """The rule of a document that is read already. Raises `RuleInvalid`."""
    try:
        return msgspec.convert(source.value, Rule)
    except msgspec.ValidationError as error:
        why, _, path = str(error).partition(" - at `")
        path = path.rstrip("`") or "$"
        raise RuleInvalid([problem("shape", path, source.place(path), why=why)]) from None


def plain(rule: Rule) -> dict[str, Any]:
    """The rule as plain values, without what is as it would be anyway."""
    return msgspec.to_builtins(rule)


def ordered(written: dict[str, Any]) -> dict[str, Any]:
    """A document with its parts in the order of the schema, if it has the shape of one."""
    try:
        return plain(msgspec.convert(written, Rule))
    except msgspec.ValidationError:
        return written


def schema() -> dict[str, Any]:
    """The published JSON Schema of a rule."""
    made = msgspec.json.schema(Rule)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Rule"} | made
