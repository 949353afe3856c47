"""Signatures as recipes: what is signed, how, where it stands. Verifying, and signing alike.

While a secret rotates two of them live, and either will do. Comparing takes the same time for any
wrong signature.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from msgspec import Meta, Struct

from hub.channels.requests import Given, PushRefused, Request
from hub.domain.documents import BadDocument

SECRETS_LIVE_MAX = 2
SIGNATURES_MAX = 8
_HOLE = re.compile(r"\{([a-z_]+)(?:\.([^{}]+))?\}")
HOLES = ("body", "secret", "params", "setting", "header", "query", "field")
_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    name: lambda data, name=name: hashlib.new(name, data, usedforsecurity=False).digest()
    for name in ("md5", "sha1", "sha256", "sha512")
}


class Timestamp(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the time of sending stands, and how old it may be."""

    at: str
    unit: Literal["s", "ms"] = "s"
    tolerance_s: Annotated[int, Meta(ge=1, le=86_400)] = 300


class Signature(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A recipe. `parts` are put together with `join` (after sorting them, if `sorted`): `{body}`,
    `{secret}`, `{params}`, `{setting.x}`, `{header.x}`, `{query.x}`, `{field.x}` stand for values.
    `at` is `header:NAME`, `query:NAME` or `field:NAME`. hmac uses the secret as its key, rsa-sha256
    the platform's public key."""

    at: str
    algorithm: Literal[
        "hmac-sha256", "hmac-sha1", "hmac-md5", "md5", "sha1", "sha256", "sha512", "rsa-sha256"
    ]
    parts: Annotated[list[str], Meta(min_length=1, max_length=10)]
    join: str = ""
    sorted: bool = False
    encoding: Literal["hex", "hex_upper", "base64"] = "hex"
    prefix: str = ""
    separator: str | None = None
    secret: str = "signing"
    secret_prefix: str = ""
    secret_encoding: Literal["text", "base64"] = "text"
    params: Literal["field", "query"] = "field"
    timestamp: Timestamp | None = None


def check(recipe: Signature, place: str) -> None:
    """BadDocument if a recipe names what there is not."""
    for at in [recipe.at, *([recipe.timestamp.at] if recipe.timestamp else [])]:
        if at.partition(":")[0] not in ("header", "query", "field"):
            raise BadDocument(f"'{at}' is not header:NAME, query:NAME or field:NAME", place)
    for i, part in enumerate(recipe.parts):
        for hole in _HOLE.finditer(part):
            if hole[1] not in HOLES:
                where = f"{place}.parts[{i}]"
                raise BadDocument(f"{{{hole[1]}}} is not one of {', '.join(HOLES)}", where)


def verify(recipes: Iterable[Signature], given: Given, request: Request) -> None:
    """PushRefused unless the signature is right by the first recipe whose place is filled."""
    for recipe in recipes:
        sent = request.at(recipe.at)
        if sent is None:
            continue
        _refuse_old(recipe, request)
        secrets = given.secrets.get(recipe.secret, ())
        if not secrets:
            raise PushRefused("secret_missing", f"the channel has no secret '{recipe.secret}'")
        said = sent.split(recipe.separator)[:SIGNATURES_MAX] if recipe.separator else [sent]
        if not any(_matches(recipe, given, request, secret, said) for secret in secrets):
            raise PushRefused("signature_wrong", "the signature is not that of this body")
        return
    raise PushRefused("signature_missing", "the request carries no signature")


def sign(recipe: Signature, given: Given, request: Request, secret: str) -> str:
    """The signature as its place wants it; of RSA only a platform has the key."""
    return recipe.prefix + _encode(recipe, _digest(recipe, given, request, secret))


def _matches(
    recipe: Signature, given: Given, request: Request, secret: str, said: list[str]
) -> bool:
    if recipe.algorithm == "rsa-sha256":
        return any(_rsa_holds(recipe, given, request, secret, one) for one in said)
    wanted = sign(recipe, given, request, secret)
    return any(hmac.compare_digest(wanted.encode(), one.strip().encode()) for one in said)


def _refuse_old(recipe: Signature, request: Request) -> None:
    if recipe.timestamp is None:
        return
    written = request.at(recipe.timestamp.at) or ""
    if not written.isascii() or not written.isdecimal() or len(written) > 16:
        raise PushRefused("timestamp_missing", "the request does not say when it was sent")
    seconds = int(written) / (1000 if recipe.timestamp.unit == "ms" else 1)
    if abs(request.received_at.timestamp() - seconds) > recipe.timestamp.tolerance_s:
        raise PushRefused("timestamp_old", "the request was sent too long ago, or not yet")


def _digest(recipe: Signature, given: Given, request: Request, secret: str) -> bytes:
    signed = _signed(recipe, given, request, secret)
    family, _, name = recipe.algorithm.partition("-")
    if family == "hmac":
        return hmac.new(_key(recipe, secret), signed, name).digest()
    return _DIGESTS[recipe.algorithm](signed)


def _signed(recipe: Signature, given: Given, request: Request, secret: str) -> bytes:
    parts = [_filled(recipe, part, given, request, secret) for part in recipe.parts]
    return recipe.join.encode().join(sorted(parts) if recipe.sorted else parts)


def _filled(recipe: Signature, part: str, given: Given, request: Request, secret: str) -> bytes:
    made = b""
    last = 0
    for hole in _HOLE.finditer(part):
        made += part[last : hole.start()].encode() + _hole(recipe, hole, given, request, secret)
        last = hole.end()
    return made + part[last:].encode()


def _hole(
    recipe: Signature, hole: re.Match[str], given: Given, request: Request, secret: str
) -> bytes:
    kind, name = hole[1], hole[2] or ""
    if kind == "body":
        return request.body
    if kind == "secret":
        return secret.encode()
    if kind == "params":
        return _params(recipe, request)
    if kind == "setting":
        return str(given.settings.get(name, "")).encode()
    return (request.at(f"{kind}:{name}") or "").encode()


def _params(recipe: Signature, request: Request) -> bytes:
    """All parameters that are not empty, by name: added ones are signed as well."""
    own = recipe.at.partition(":")[2]
    known = request.query if recipe.params == "query" else request.fields()
    pairs = [f"{k}={v}" for k, v in sorted(known.items()) if k != own and v not in ("", None)]
    return "&".join(pairs).encode()


def _key(recipe: Signature, secret: str) -> bytes:
    bare = secret.removeprefix(recipe.secret_prefix)
    if recipe.secret_encoding == "text":
        return bare.encode()
    try:
        return base64.b64decode(bare, validate=True)
    except binascii.Error:
        raise PushRefused("secret_missing", "the channel's secret is no base64") from None


def _encode(recipe: Signature, digest: bytes) -> str:
    if recipe.encoding == "base64":
        return base64.b64encode(digest).decode()
    return digest.hex().upper() if recipe.encoding == "hex_upper" else digest.hex()


def _rsa_holds(recipe: Signature, given: Given, request: Request, secret: str, said: str) -> bool:
    try:
        key = serialization.load_pem_public_key(secret.encode())
        signature = base64.b64decode(said.removeprefix(recipe.prefix), validate=True)
    except (ValueError, binascii.Error):
        return False
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    signed = _signed(recipe, given, request, secret)
    try:
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
