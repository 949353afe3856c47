"""Asking a platform: which call it is, and what of its answer counts as the detail that was wanted.

The call itself is made by who has a network.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct

from hub.channels import conversions, expressions, mapping, signatures
from hub.channels.expressions import Scope, Unmapped, text_of
from hub.channels.outgoing import Fetch
from hub.channels.requests import Given, PushRefused, Request, parse_json


class Call(Struct, frozen=True):
    """A request to a platform. Its query may hold a token: it is never logged."""

    method: str
    url: str
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes | None

    def __repr__(self) -> str:
        return f"Call({self.method} {self.url})"


def call_of(fetch: Fetch, given: Given, scope: Scope, at: datetime) -> Call:
    """The call, its maps read in this scope. Raises `Unmapped`."""
    query = {name: text_of(line, scope) for name, line in fetch.query.items()}
    query |= {name: _secret(given, secret) for name, secret in fetch.secrets.items()}
    headers = {name.lower(): text_of(line, scope) for name, line in fetch.headers.items()}
    body = b""
    if fetch.body is not None:
        body = conversions.as_json(mapping.apply(fetch.body, scope))
        headers.setdefault("content-type", "application/json")
    if fetch.sign is not None:
        recipe = fetch.sign
        request = Request(fetch.method, headers, query, body, "", at)
        said = signatures.sign(recipe, given, request, _secret(given, recipe.secret))
        kind, _, name = recipe.at.partition(":")
        (query if kind == "query" else headers)[name] = said
    return Call(fetch.method, text_of(fetch.url, scope), headers, query, body or None)


def answer_in(scope: Scope, body: bytes) -> Scope:
    """The scope with what the platform said, as `$answer`. Unmapped if it cannot be read."""
    try:
        answer = parse_json(body)
    except PushRefused as refused:
        raise Unmapped("detail_unreadable", refused.reason, "$answer") from None
    return Scope(scope.roots | {"answer": answer}, scope.ways)


def detail_of(fetch: Fetch, scope: Scope, body: bytes) -> Any:
    """The detail in the platform's answer. Unmapped if the answer is none."""
    scope = answer_in(scope, body)
    if not all(when.holds(scope) for when in fetch.ok):
        raise Unmapped("detail_refused", "the platform does not give the detail", "$answer")
    return expressions.value_of(fetch.result, scope)


def _secret(given: Given, name: str) -> str:
    found = given.secrets.get(name, ())
    if not found:
        raise Unmapped("secret_missing", f"the channel has no secret '{name}'", "$.secrets")
    return found[0]
