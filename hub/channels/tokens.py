"""A platform's access token: which call gets it, and what of the answer it is.

When it is got anew, and that one worker does it for all: `hub.store.platform_access`.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from hub.channels import expressions, fetching
from hub.channels.expressions import Scope, Unmapped
from hub.channels.fetching import Call
from hub.channels.outgoing import Token
from hub.channels.pack import Pack
from hub.channels.paths import MISSING
from hub.channels.requests import Given

EARLY_PART = 10
"""A token is got anew when a tenth of its life is left: nobody waits for that."""


class Grant(Struct, frozen=True):
    """A token, and what is kept for getting the next."""

    token: str
    kept: str | None = None

    def __repr__(self) -> str:
        return "Grant()"  # tokens stay out of logs


def call_of(pack: Pack, given: Given, kept: str | None, at: datetime) -> Call:
    """The call that gets a token. Raises `Unmapped`."""
    return fetching.call_of(_token(pack), given, _scope(pack, given, kept), at)


def granted(pack: Pack, given: Given, kept: str | None, body: bytes) -> Grant:
    """The token in the platform's answer. Raises `Unmapped` if there is none."""
    token, scope = _token(pack), _scope(pack, given, kept)
    try:
        found = fetching.detail_of(token, scope, body)
    except Unmapped as refused:
        raise Unmapped("token_refused", "the platform gives no token", "$.token") from refused
    keeps = MISSING
    if token.keeps is not None:
        keeps = expressions.value_of(token.keeps, fetching.answer_in(scope, body))
    for part in (found, keeps):
        # A line cuts off what is longer, and half a token is none.
        if isinstance(part, str) and len(part) >= expressions.TEXT_MAX:
            reason = f"a token has less than {expressions.TEXT_MAX} signs"
            raise Unmapped("token_too_long", reason, "$.token")
    if not isinstance(found, str) or not found:
        raise Unmapped("token_refused", "the platform gives no token", "$.token.result")
    return Grant(found, kept if keeps is MISSING else str(keeps))


def is_spent(pack: Pack, given: Given, body: bytes) -> bool:
    """Whether an answer to another call says that the token is good no more."""
    token = _token(pack)
    if not token.spent:
        return False
    try:
        scope = fetching.answer_in(_scope(pack, given, None), body)
    except Unmapped:
        return False
    return all(when.holds(scope) for when in token.spent)


def lives(pack: Pack) -> timedelta:
    """How long a token is good for."""
    return timedelta(seconds=_token(pack).lives_s)


def _token(pack: Pack) -> Token:
    assert pack.token is not None, "a pack without a token was asked for one"
    return pack.token


def _scope(pack: Pack, given: Given, kept: str | None) -> Scope:
    secrets = {name: values[0] for name, values in given.secrets.items() if values}
    roots = {"setting": dict(given.settings), "channel": given.channel, "secret": secrets}
    return Scope(roots | ({"kept": kept} if kept is not None else {}), pack.ways())
