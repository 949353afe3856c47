"""The model of a pack: one file that says how a platform speaks. Strict, with versions.

`read` refuses a document with the place that is wrong; `schema` is its JSON Schema. What a pack
does with a push is in `hub.channels.codec`, its samples are run by `hub.channels.samples`.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from hub.channels import expressions, mapping, signatures
from hub.channels.encryption import Encryption
from hub.channels.expressions import Ways
from hub.channels.mapping import Map, When
from hub.channels.outgoing import Basis, Fetch, Poll, RateLimit, Token, VoucherCall
from hub.channels.requests import Reply
from hub.channels.signatures import Signature
from hub.domain import payloads, readers
from hub.domain.documents import BadDocument, Document, convert

FORMAT = 1
DIALECT = "https://json-schema.org/draft/2020-12/schema"
PackName = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
Ledger = Literal["hub", "platform", "allotment"]


class Envelope(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a message says what it is. `batch`: a list of messages in the body. `data`: what it
    says, if that is not the whole; `data_is_json`: as JSON in a text."""

    id: str
    type: str
    time: str
    batch: str | None = None
    data: str | None = None
    data_is_json: bool = False
    data_is_url_encoded: bool = False
    shop: str | None = None
    sequence: str | None = None
    test: list[When] = []


class Handshake(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A request by which a platform tries the address: what it is known by, and the answer, a map.
    A text is answered as it is, an object as JSON."""

    method: Literal["GET", "POST"] = "POST"
    when: list[When] = []
    is_signed: bool = True
    answer: Map


class Emit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An event that a message becomes: `type` and each value of `data` by lines of a map. Several
    events of one message have ids with a `suffix`."""

    type: str
    data: Map
    suffix: str = ""
    time: str | None = None
    subject: str | None = None
    when: list[When] = []


class EventRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What messages of these types become, or why nothing (`ignore`). `fetch`: which detail is read
    by id before. `reply`: a map of the message, where the platform wants its own words back."""

    types: Annotated[list[str], Meta(min_length=1)]
    emit: Annotated[list[Emit], Meta(max_length=10)] = []
    ignore: str | None = None
    when: list[When] = []
    fetch: str | None = None
    reply: Map = None


class Question(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the platform asks and waits for. `read`: a `member` by what `ask` gives of an identifier
    (`type`, `value`, `app`), or a `coupon` by its `code`; `answer` is a map of what the hub knows
    (`$answer`), `unknown` one for nothing. Points of a member are those of the channel's accounts,
    or with `all_channels` of the whole wallet."""

    types: Annotated[list[str], Meta(min_length=1)]
    read: Literal["member", "coupon"]
    ask: dict[str, str]
    answer: Map
    unknown: Map
    basis: Basis
    all_channels: bool = False


class Times(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How times are written: epoch_s, epoch_ms, iso or a pattern of strptime, and in which zone."""

    pattern: str = "iso"
    zone: str = "Asia/Shanghai"


class Masters(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who decides of each ledger: the hub, the platform, or the platform within an allotment."""

    stock: Ledger = "hub"
    points: Ledger = "hub"
    coupons: Ledger = "hub"
    tier: Ledger = "hub"


class FilePart(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Files of a back office: `columns` names the headers a field may have. A row is then a message
    of `type`, with `set` added (`$setting.as_of` is when the file was true) and named by `id`, so
    that it counts once. `total` is the field to compare the sum of."""

    name: PackName
    type: str
    id: str
    columns: Annotated[dict[str, list[str]], Meta(min_length=1, max_length=100)]
    required: list[str] = []
    set: dict[str, str] = {}
    total: str | None = None


class PushSample(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A recorded request. `body` is JSON, or the bytes as `text`. Unless a signature stands among
    the headers, it is signed by the recipe with the sample's secret."""

    body: Any = None
    text: str | None = None
    method: Literal["GET", "POST"] = "POST"
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    shop: str = "main"
    received_at: str = "2026-03-01T12:00:00+08:00"
    is_signed: bool = True


class Expected(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What has to come of it: the events with all their values, or the code of the refusal, of what
    is parked, or the exact reply."""

    events: list[dict[str, Any]] | None = None
    reply: str | None = None
    refused: str | None = None
    unmapped: str | None = None
    ignored: str | None = None


class Sample(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A recorded push and what it becomes. `detail`: what the platform answers when it is asked;
    `known`: what the hub knows of what it is asked for."""

    name: Annotated[str, Meta(min_length=1, max_length=120)]
    basis: Basis
    request: PushSample
    expect: Expected
    detail: Any = None
    known: dict[str, Any] | None = None
    settings: dict[str, str] = {}
    secrets: dict[str, list[str]] = {}


class Pack(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one platform speaks."""

    format: Literal[1]
    pack: PackName
    version: Annotated[int, Meta(ge=1, le=1_000_000)]
    title: str
    envelope: Envelope
    signatures: Annotated[list[Signature], Meta(min_length=1, max_length=4)]
    events: Annotated[list[EventRule], Meta(min_length=1, max_length=200)]
    samples: Annotated[list[Sample], Meta(min_length=1, max_length=200)]
    about: str = ""
    invented: list[str] = []
    body: Literal["json", "form"] = "json"
    encryption: Encryption | None = None
    handshakes: list[Handshake] = []
    reply: Reply = Reply(200, "application/json", "{}")
    time: Times = Times()
    money: Literal["fen", "yuan"] = "yuan"
    maps: dict[str, dict[str, str]] = {}
    ignored: dict[str, str] = {}
    fetch: dict[str, Fetch] = {}
    questions: list[Question] = []
    vouchers: dict[Literal["prepare", "verify", "query", "cancel"], VoucherCall] = {}
    personal: list[str] = []
    settings: dict[str, str] = {}
    secrets: dict[str, str] = {}
    masters: Masters = Masters()
    rate_limit: RateLimit | None = None
    token: Token | None = None
    polls: dict[PackName, Poll] = {}
    files: list[FilePart] = []

    def ways(self, skus: dict[str, str] | None = None) -> Ways:
        """What the lines of its maps need."""
        return Ways(self.maps, self.money, self.time.pattern, self.time.zone, skus or {})


def read(document: Document) -> Pack:
    """The pack that a document is. BadDocument names the place that is wrong."""
    pack = convert(document, Pack)
    for i, recipe in enumerate(pack.signatures):
        signatures.check(recipe, f"$.signatures[{i}]")
    _check_lines(pack)
    _check_names(pack)
    return pack


def _check_lines(pack: Pack) -> None:
    """The lines of its maps can be read."""
    for name in ("id", "type", "time", "batch", "data", "shop", "sequence"):
        if (line := getattr(pack.envelope, name)) is not None:
            mapping.check(line, f"$.envelope.{name}")
    for i, rule in enumerate(pack.events):
        _check_rule(pack, rule, f"$.events[{i}]")
    for i, part in enumerate(pack.files):
        mapping.check([part.id, *part.set.values()], f"$.files[{i}]")
    for place, call in _calls(pack).items():
        mapping.check(_lines_of(call), place)
    if pack.vouchers and not {"verify", "query"} <= pack.vouchers.keys():
        raise BadDocument("whoever verifies has to be able to ask about it: `query`", "$.vouchers")
    for i, question in enumerate(pack.questions):
        for name in ("ask", "answer", "unknown"):
            mapping.check(getattr(question, name), f"$.questions[{i}].{name}")


def _calls(pack: Pack) -> dict[str, Fetch]:
    """Its calls by their places."""
    found: dict[str, Fetch] = {f"$.fetch.{name}": call for name, call in pack.fetch.items()}
    found |= {f"$.vouchers.{name}": call for name, call in pack.vouchers.items()}
    found |= {f"$.polls.{name}": call for name, call in pack.polls.items()}
    return found if pack.token is None else found | {"$.token": pack.token}


def _lines_of(call: Fetch) -> list[Map]:
    lines: list[Map] = [call.url, call.query, call.headers, call.body, call.result]
    if isinstance(call, Token):
        lines.append(call.keeps)
    if isinstance(call, Poll):
        lines += [call.message, call.shop, call.next]
    return lines


def schema() -> dict[str, Any]:
    """The JSON Schema of a pack's document."""
    (_,), definitions = msgspec.json.schema_components([Pack], ref_template="#/$defs/{name}")
    whole = definitions.pop("Pack")
    return {"$schema": DIALECT} | whole | {"title": "Channel pack", "$defs": definitions}


def _check_rule(pack: Pack, rule: EventRule, place: str) -> None:
    if rule.fetch is not None and rule.fetch not in pack.fetch:
        raise BadDocument(f"there is no '{rule.fetch}' in `fetch`", f"{place}.fetch")
    if bool(rule.emit) == (rule.ignore is not None):
        raise BadDocument("a rule has events to `emit`, or a reason to `ignore`", place)
    suffixes = [emit.suffix for emit in rule.emit]
    if len(set(suffixes)) != len(suffixes):
        raise BadDocument("events of one message need suffixes that differ", f"{place}.emit")
    for i, emit in enumerate(rule.emit):
        at = f"{place}.emit[{i}]"
        mapping.check(rule.reply, f"{place}.reply")
        mapping.check([emit.type, emit.time, emit.subject], f"{at}.type")
        mapping.check(emit.data, f"{at}.data")
        is_fixed = isinstance(expressions.parse(emit.type), str)
        known = payloads.BY_TYPE.keys() - readers.DECIDED_TYPES
        if is_fixed and emit.type not in known:
            raise BadDocument(f"'{emit.type}' is no type of event", f"{at}.type")


def _check_names(pack: Pack) -> None:
    """Maps that lines name exist, secrets that recipes and calls name are told."""
    named = {recipe.secret for recipe in pack.signatures}
    if pack.encryption is not None:
        named.add(pack.encryption.secret)
    got = {pack.token.gives} if pack.token is not None else set[str]()
    for call in _calls(pack).values():
        named |= set(call.secrets.values()) - got
        named |= {call.sign.secret} if call.sign is not None else set()
    missing = sorted(named - pack.secrets.keys())
    if missing:
        raise BadDocument(f"say what the secret '{missing[0]}' is", "$.secrets")
    for name in _maps_in(msgspec.to_builtins([pack.events, pack.polls])):
        if name not in pack.maps:
            raise BadDocument(f"there is no map '{name}'", "$.maps")


def _maps_in(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set().union(*(_maps_in(part) for part in node.values()))
    if isinstance(node, list):
        return set().union(*(_maps_in(part) for part in node))
    if not isinstance(node, str) or "map(" not in node:
        return set()
    parsed = expressions.parse(node)
    parts = parsed if isinstance(parsed, tuple) else (parsed,)
    return {
        argument
        for part in parts
        if isinstance(part, expressions.Expression)
        for call, argument in part.calls
        if call == "map"
    }
