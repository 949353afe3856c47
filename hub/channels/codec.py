"""From a platform's push to events, by a pack. Pure: what has to be fetched is only described.

`open_push` verifies, decrypts and splits; `rule_of` says what detail a message needs; `decode`
makes its events, or says why it cannot. Sending and keeping them is `hub_api`'s.
"""

from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct

from hub.channels import conversions, encryption, expressions, mapping, signatures
from hub.channels.expressions import Scope, Unmapped, text_of
from hub.channels.pack import Emit, EventRule, Pack, Question
from hub.channels.paths import MISSING
from hub.channels.requests import Given, PushRefused, Reply, Request, parse_json
from hub.domain import events
from hub.domain.envelope import BadEvent

BATCH_MAX = 500
EXTRA_BYTES_MAX = 16_384


class Message(Struct):
    """One message of a push: what it is, and what it says."""

    id: str
    type: str
    scope: Scope
    raw: bytes
    received_at: datetime


class Opened(Struct):
    """A push that is the platform's: what to answer, and its messages, none of a mere trial."""

    reply: Reply
    messages: list[Message]


class Decoded(Struct):
    """What a message became: events as CloudEvents, or why it becomes none."""

    events: list[dict[str, Any]] = []
    ignored: str | None = None
    unmapped: Unmapped | None = None


def open_push(pack: Pack, given: Given, request: Request) -> Opened:
    """Raises `PushRefused`."""
    request.form = pack.body == "form"
    trial = _handshake(pack, given, request)
    if trial is not None:
        return Opened(trial, [])
    if request.method != "POST":
        raise PushRefused("method_wrong", "the platform pushes by POST")
    signatures.verify(pack.signatures, given, request)
    body = request.fields() if request.form else parse_json(request.body)
    return Opened(pack.reply, _messages(pack, given, request, body))


def reopen(pack: Pack, given: Given, kept: Request, message_id: str) -> Message:
    """A message that was kept, from its own bytes: it was verified when it came."""
    message = _message(pack, given, kept, parse_json(kept.body), message_id)
    if message is None:
        raise PushRefused("test", "it is a mere test")
    return message


def listed(pack: Pack, given: Given, request: Request) -> Message | None:
    """A message that the platform did not push but list; None for a mere test. What vouches for it
    is that the platform was asked. Raises `PushRefused`."""
    return _message(pack, given, request, parse_json(request.body))


def rule_of(pack: Pack, message: Message) -> EventRule | None:
    """The first rule for the message's type whose conditions hold."""
    for rule in pack.events:
        is_meant = message.type in rule.types or "*" in rule.types
        if is_meant and all(when.holds(message.scope) for when in rule.when):
            return rule
    return None


def question_of(pack: Pack, opened: Opened) -> tuple[Question, Message] | None:
    """What a push asks, if it asks."""
    if len(opened.messages) != 1:
        return None
    (message,) = opened.messages
    found = next((one for one in pack.questions if message.type in one.types), None)
    return (found, message) if found is not None else None


def asked(question: Question, message: Message) -> dict[str, str]:
    """The arguments of a question. Raises `PushRefused`."""
    try:
        return {name: text_of(line, message.scope) for name, line in question.ask.items()}
    except Unmapped as unmapped:
        raise PushRefused("body_unreadable", f"{unmapped.field}: {unmapped.reason}") from None


def answered(question: Question, message: Message, known: dict[str, Any] | None) -> Reply:
    """The answer as the platform wants it; known: what the hub knows, None for nothing."""
    roots = message.scope.roots | ({"answer": known} if known is not None else {})
    scope = Scope(roots, message.scope.ways)
    return answer(question.unknown if known is None else question.answer, scope)


def reply_to(pack: Pack, opened: Opened) -> Reply:
    """What a push is answered once its messages are taken."""
    if len(opened.messages) == 1:
        rule = rule_of(pack, opened.messages[0])
        if rule is not None and rule.reply is not None:
            return answer(rule.reply, opened.messages[0].scope)
    return opened.reply


def decode(pack: Pack, given: Given, message: Message, detail: Any = MISSING) -> Decoded:
    """The message's events; each was read as the hub will read it."""
    if message.type in pack.ignored:
        return Decoded(ignored=pack.ignored[message.type])
    try:
        if detail is not MISSING:
            message.scope.roots["detail"] = detail
        rule = rule_of(pack, message)
        if rule is None:
            raise Unmapped("type_unmapped", f"no rule for '{message.type[:80]}'", "$envelope")
        if rule.ignore is not None:
            return Decoded(ignored=rule.ignore)
        made = [_event(pack, given, message, emit) for emit in rule.emit]
        found = [event for event in made if event is not None]
        if not found:
            return Decoded(ignored="the pack makes no event of it")
        _keep_extra(pack, message, found[0])
        return Decoded([_readable(event, message.received_at) for event in found])
    except Unmapped as unmapped:
        return Decoded(unmapped=unmapped)


def _handshake(pack: Pack, given: Given, request: Request) -> Reply | None:
    for handshake in pack.handshakes:
        if handshake.method != request.method or (request.method == "POST" and not handshake.when):
            continue
        scope = _scope(pack, given, request, request.fields() if request.body else {})
        scope.roots["message"] = dict(request.query) if request.method == "GET" else request.parsed
        if all(when.holds(scope) for when in handshake.when):
            if handshake.is_signed:
                signatures.verify(pack.signatures, given, request)
            return answer(handshake.answer, scope)
    return None


def answer(node: Any, scope: Scope) -> Reply:
    """A map as a reply: a text as it is, an object as JSON."""
    try:
        said = conversions.written(mapping.apply(node, scope))
    except Unmapped as unmapped:
        raise PushRefused("body_unreadable", f"{unmapped.field}: {unmapped.reason}") from None
    if isinstance(said, str):
        return Reply(200, "text/plain; charset=utf-8", said)
    return Reply(200, "application/json", msgspec.json.encode(said).decode())


def _messages(pack: Pack, given: Given, request: Request, body: Any) -> list[Message]:
    scope = _scope(pack, given, request, body)
    if pack.encryption is not None:
        plain = encryption.decrypt(pack.encryption, given, scope)
        body = body if plain is MISSING else plain
    parts = _parts(pack, given, request, body)
    made = [_message(pack, given, request, part) for part in parts]
    return [message for message in made if message is not None]


def _parts(pack: Pack, given: Given, request: Request, body: Any) -> list[Any]:
    if pack.envelope.batch is None:
        return [body]
    try:
        listed = expressions.value_of(pack.envelope.batch, _scope(pack, given, request, body))
    except Unmapped as unmapped:
        raise PushRefused("body_unreadable", f"{unmapped.field}: {unmapped.reason}") from None
    if not isinstance(listed, list):
        return [listed]
    if len(listed) > BATCH_MAX:
        raise PushRefused("too_many", f"a push has at most {BATCH_MAX} messages")
    return listed


def _message(
    pack: Pack, given: Given, request: Request, body: Any, known_id: str | None = None
) -> Message | None:
    """One message; None for a mere test of the address."""
    scope = _scope(pack, given, request, body)
    envelope = pack.envelope
    if envelope.test and all(when.holds(scope) for when in envelope.test):
        return None
    try:
        if envelope.data is not None:
            scope.roots["message"] = _data(pack, scope)
        if envelope.shop is not None and text_of(envelope.shop, scope) != request.shop:
            raise PushRefused("shop_foreign", "the push is of another shop than its address")
        message_id = known_id or text_of(envelope.id, scope)
        scope.roots["id"] = message_id
        return Message(
            message_id,
            text_of(envelope.type, scope),
            scope,
            conversions.as_json(body),
            request.received_at,
        )
    except Unmapped as unmapped:
        raise PushRefused("body_unreadable", f"{unmapped.field}: {unmapped.reason}") from None


def _data(pack: Pack, scope: Scope) -> Any:
    assert pack.envelope.data is not None
    found = expressions.value_of(pack.envelope.data, scope)
    if not pack.envelope.data_is_json or not isinstance(found, str):
        return found
    return parse_json((unquote(found) if pack.envelope.data_is_url_encoded else found).encode())


def _scope(pack: Pack, given: Given, request: Request, body: Any) -> Scope:
    roots = {
        "message": body,
        "envelope": body,
        "setting": dict(given.settings),
        "shop": request.shop,
        "channel": given.channel,
        "header": dict(request.headers),
        "query": dict(request.query),
    }
    return Scope(roots, pack.ways(dict(given.skus)), set())


def _event(pack: Pack, given: Given, message: Message, emit: Emit) -> dict[str, Any] | None:
    scope = message.scope
    if not all(when.holds(scope) for when in emit.when):
        return None
    when = expressions.value_of(emit.time or pack.envelope.time, scope)
    if not isinstance(when, datetime):
        raise Unmapped("value_unfit", "it is no time", emit.time or pack.envelope.time)
    data = mapping.apply(emit.data, scope)
    made: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{message.id}{emit.suffix}",
        "source": f"/channels/{given.channel}/shops/{scope.roots['shop']}",
        "type": str(expressions.value_of(emit.type, scope)),
        "time": when.isoformat(),
        "datacontenttype": "application/json",
        "pack": f"{pack.pack}@{pack.version}",
        "data": {} if data is MISSING else conversions.written(data),
    }
    if emit.subject is not None and (subject := text_of(emit.subject, scope)):
        made["subject"] = subject
    if pack.envelope.sequence is not None and (number := text_of(pack.envelope.sequence, scope)):
        made["sequence"] = number
    return made


def _keep_extra(pack: Pack, message: Message, event: dict[str, Any]) -> None:
    """Fields that the pack does not name stay with the event, but for personal ones."""
    scope = message.scope
    kept: dict[str, Any] = {}
    for root in ("message", "detail"):
        body = scope.roots.get(root)
        if isinstance(body, dict):
            rest = {k: v for k, v in body.items() if (root, k) not in scope.used}
            kept |= _without(rest, frozenset(pack.personal))
    written = conversions.written(kept)
    if (
        kept
        and isinstance(event["data"], dict)
        and len(conversions.as_json(written)) <= EXTRA_BYTES_MAX
    ):
        event["data"] = event["data"] | {"extra": written}


def _without(node: Any, names: frozenset[str]) -> Any:
    if isinstance(node, dict):
        return {k: _without(v, names) for k, v in node.items() if k not in names}
    return [_without(part, names) for part in node] if isinstance(node, list) else node


def _readable(event: dict[str, Any], now: datetime) -> dict[str, Any]:
    try:
        events.decode(msgspec.json.encode(event), now)
    except BadEvent as bad:
        raise Unmapped(bad.code, bad.reason, bad.field or "$") from None
    return event
