"""Lists that a platform is asked for: which call asks for a page, and what messages are in it.

When it is asked, and up to where it was read: `hub.store.platform_polls`.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from hub.channels import codec, conversions, expressions, fetching, mapping
from hub.channels.codec import Message
from hub.channels.expressions import Scope, Unmapped, text_of
from hub.channels.fetching import Call
from hub.channels.outgoing import Poll
from hub.channels.pack import Pack
from hub.channels.paths import MISSING
from hub.channels.requests import Given, PushRefused, Request

ITEMS_MAX = 1_000


class Asked(Struct, frozen=True):
    """One page of a list: of what changed in a time, its number, and what the one before said."""

    since: datetime
    until: datetime
    page: int = 1
    next: str | None = None


class Page(Struct):
    """What a page holds; next None: it is the last."""

    messages: list[Message]
    next: Asked | None


def call_of(pack: Pack, given: Given, name: str, asked: Asked) -> Call:
    """The call that asks for a page. Raises `Unmapped`."""
    scope = _scope(pack, given, asked)
    return fetching.call_of(pack.polls[name], given, scope, datetime.now(UTC))


def page_of(pack: Pack, given: Given, name: str, asked: Asked, body: bytes) -> Page:
    """The messages in the platform's answer. Unmapped if it is no list, or an item is no message:
    then the whole page is none, for nothing of it may be passed over."""
    poll = pack.polls[name]
    scope = fetching.answer_in(_scope(pack, given, asked), body)
    items = fetching.detail_of(poll, scope, body)
    items = [] if items is MISSING else items
    if not isinstance(items, list) or len(items) > ITEMS_MAX:
        reason = f"it is no list of at most {ITEMS_MAX} items"
        raise Unmapped("value_unfit", reason, poll.result)
    found = [_message(pack, given, poll, scope.of_item(item, i)) for i, item in enumerate(items, 1)]
    return Page([one for one in found if one is not None], _next(poll, scope, asked))


def _next(poll: Poll, scope: Scope, asked: Asked) -> Asked | None:
    said = MISSING if poll.next is None else expressions.value_of(poll.next, scope)
    if said is MISSING and not (poll.more and all(when.holds(scope) for when in poll.more)):
        return None
    after = None if said is MISSING else str(said)
    if after is not None and after == asked.next:
        raise Unmapped("value_unfit", "the next page is this one", poll.next or "$")
    return Asked(asked.since, asked.until, asked.page + 1, after)


def _message(pack: Pack, given: Given, poll: Poll, scope: Scope) -> Message | None:
    place = f"$item[{scope.roots['index']}]"
    try:
        pushed = mapping.apply(poll.message, scope)
        body = conversions.as_json({} if pushed is MISSING else pushed)
        request = Request("POST", {}, {}, body, text_of(poll.shop, scope), datetime.now(UTC))
        return codec.listed(pack, given, request)
    except PushRefused as refused:
        raise Unmapped(refused.code, refused.reason, place) from None


def _scope(pack: Pack, given: Given, asked: Asked) -> Scope:
    roots = {
        "setting": dict(given.settings),
        "channel": given.channel,
        "since": _written(pack, asked.since),
        "until": _written(pack, asked.until),
        "page": asked.page,
    }
    known = {"next": asked.next} if asked.next is not None else {}
    return Scope(roots | known, pack.ways(dict(given.skus)))


def _written(pack: Pack, moment: datetime) -> str:
    """A time as the platform writes times."""
    pattern = pack.time.pattern
    if pattern in ("epoch_s", "epoch_ms"):
        return str(int(moment.timestamp() * (1000 if pattern == "epoch_ms" else 1)))
    local = moment.astimezone(ZoneInfo(pack.time.zone))
    return local.isoformat() if pattern == "iso" else local.strftime(pattern)
