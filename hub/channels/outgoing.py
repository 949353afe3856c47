"""What a pack says of calls to its platform: for a detail, about a voucher, for a token, how often.

What such a call is made of is in `hub.channels.fetching`; the model of a whole pack in
`hub.channels.pack`.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from hub.channels.mapping import Map, When
from hub.channels.signatures import Signature

Basis = Literal["documented", "invented"]


class Fetch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the detail of a thin message is asked for. `url`, `headers`, `query` and `body` are maps;
    `ok` says that the answer is one, `result` where in it the detail stands (as `$answer`).
    `sign` puts a signature into the query or a header."""

    url: str
    basis: Basis
    method: Literal["GET", "POST"] = "GET"
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    body: Map = None
    sign: Signature | None = None
    ok: list[When] = []
    result: str = "$answer"
    secrets: dict[str, str] = {}


class VoucherCall(Fetch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call about one use of a voucher that the platform itself verifies. Its maps know `$code`,
    `$use` (the use's own id, the same in all calls), `$place`, `$order`, `$shop`, and `$prepared`:
    the `result` of preparing. `done` and `refused` say what the answer means; of any other it is
    not known what the platform did. Of a question `done` means that the use is verified."""

    done: Annotated[list[When], Meta(min_length=1)]
    refused: Annotated[list[When], Meta(min_length=1)]


class Token(Fetch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the platform's access token is got: a call whose `result` is the token, good for
    `lives_s`. Other calls name it as the secret `gives`. Its maps know `$secret` by name, and
    `$kept`: what `keeps` took from the answer before (a refresh token). `spent` says of any answer
    that the token is good no more: it is got anew, once."""

    lives_s: Annotated[int, Meta(ge=60, le=31_536_000)]
    gives: str = "token"
    keeps: str | None = None
    spent: list[When] = []


class Poll(Fetch, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A list of the platform that is asked for what changed in a time, page by page; `result` is
    where its items stand. Its maps know `$since` and `$until` (written as the pack writes times),
    `$page` from 1, and `$next`: what the line `next` gave of the page before. There is another page
    if `next` gives something, or if `more` is said and holds. `message` makes of each `$item` what
    the platform would push, of `shop`. Each look begins `back_s` before the end of the last one,
    since lists show some late, and covers `window_s` at most."""

    message: Map
    every_s: Annotated[int, Meta(ge=1, le=86_400)]
    shop: str = "main"
    next: str | None = None
    more: list[When] = []
    back_s: Annotated[int, Meta(ge=0, le=86_400)] = 300
    window_s: Annotated[int, Meta(ge=60, le=2_678_400)] = 86_400


class RateLimit(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many calls of the platform's API are allowed in so many seconds, of all of the hub."""

    calls: Annotated[int, Meta(ge=1)]
    per_s: Annotated[int, Meta(ge=1)]
    basis: Basis
