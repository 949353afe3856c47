"""One-time tokens: a coupon's right to one use, shown as a picture of dots and checked by a store
without a network. Pure: keys and times are arguments.

A token is `HT1.<payload>.<signature>`, both base64url; the payload is JSON, the signature Ed25519.
A store keeps the public key only, so a lost till gives nothing away. That a token was used in two
stores that were both offline shows when they are told: one use counts, the other is a case.
"""

import base64
import binascii
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

PREFIX = "HT1"
TOKEN_LENGTH_MAX = 1_024
CLOCK_SKEW_S = 120
"""How far a till's clock may be behind or ahead."""


class Token(Struct, frozen=True):
    """What a token says. place: the only store that may take it, if it is for one."""

    code: str
    token_id: str
    expires_at: int
    place: str | None = None


class TokenRefused(ValueError):
    """The token gives no right to anything; its reason is the message."""


def sign(token: Token, key: bytes) -> str:
    """The token as it is shown. key: 32 secret bytes."""
    payload = _text(msgspec.json.encode(token))
    signed = f"{PREFIX}.{payload}"
    signature = Ed25519PrivateKey.from_private_bytes(key).sign(signed.encode())
    return f"{signed}.{_text(signature)}"


def public_key(key: bytes) -> bytes:
    """What stores check tokens with: 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()


def verify(shown: str, public: bytes, place: str | None, now: datetime) -> Token:
    """The token, if it is genuine, of this store and still good. TokenRefused otherwise."""
    if len(shown) > TOKEN_LENGTH_MAX or shown.count(".") != 2 or not shown.isascii():
        raise TokenRefused("this is no token")
    signed, _, signature = shown.rpartition(".")
    prefix, _, payload = signed.partition(".")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_bytes(signature), signed.encode())
        token = msgspec.json.decode(_bytes(payload), type=Token)
    except (InvalidSignature, binascii.Error, msgspec.MsgspecError):
        raise TokenRefused("the token was not made by the hub") from None
    if prefix != PREFIX:
        raise TokenRefused("this is no token")
    if now.timestamp() > token.expires_at + CLOCK_SKEW_S:
        raise TokenRefused("the token has expired")
    if token.place is not None and token.place != place:
        raise TokenRefused("the token is for another store")
    return token


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
