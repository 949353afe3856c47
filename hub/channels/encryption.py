"""Encrypted pushes as recipes: AES-CBC and AES-GCM, with what platforms wrap around the message."""

import base64
import binascii
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta, Struct

from hub.channels import expressions
from hub.channels.expressions import Scope, Unmapped
from hub.channels.paths import MISSING
from hub.channels.requests import Given, PushRefused, parse_json

BLOCK_BYTES_MAX = 32


class Encryption(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`at`: the ciphertext in base64. The key is a secret of the channel, as text or in base64
    (without its padding, if a platform leaves it off). `iv`: `key` for the key's first 16 bytes,
    `data` for the ciphertext's, or a path. After decryption `skip_bytes` are left out and, with
    `length_bytes`, so many bytes tell the message's length; what follows must be `trailer`."""

    algorithm: Literal["aes-cbc", "aes-gcm"]
    at: str
    secret: str = "encryption"
    key_encoding: Literal["text", "base64"] = "text"
    iv: str = "key"
    associated_data: str | None = None
    skip_bytes: Annotated[int, Meta(ge=0, le=64)] = 0
    length_bytes: Literal[0, 4] = 0
    trailer: str | None = None
    is_required: bool = True


def decrypt(recipe: Encryption, given: Given, scope: Scope) -> Any:
    """The message that stands encrypted in the envelope, parsed. Raises `PushRefused`."""
    sent = _text(recipe.at, scope)
    if sent is None:
        if recipe.is_required:
            raise PushRefused("not_encrypted", "the platform sends encrypted messages only")
        return MISSING
    data = _base64(sent)
    for secret in given.secrets.get(recipe.secret, ()):
        plain = _opened(recipe, _key(recipe, secret), data, scope)
        message = _unwrapped(recipe, plain, scope) if plain is not None else None
        if message is not None:
            return parse_json(message)
    raise PushRefused("decryption_failed", "no key of the channel opens the message")


def _opened(recipe: Encryption, key: bytes, data: bytes, scope: Scope) -> bytes | None:
    iv = _iv(recipe, key, data, scope)
    try:
        if recipe.algorithm == "aes-gcm":
            extra = _text(recipe.associated_data, scope) if recipe.associated_data else None
            return AESGCM(key).decrypt(iv, data, extra.encode() if extra else None)
        body = data[16:] if recipe.iv == "data" else data
        reader = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        return _unpadded(reader.update(body) + reader.finalize())
    except (ValueError, InvalidTag):
        return None


def _iv(recipe: Encryption, key: bytes, data: bytes, scope: Scope) -> bytes:
    if recipe.iv == "key":
        return key[:16]
    if recipe.iv == "data":
        return data[:16]
    written = _text(recipe.iv, scope) or ""
    return written.encode() if recipe.algorithm == "aes-gcm" else _base64(written)


def _unpadded(padded: bytes) -> bytes | None:
    """Without PKCS#7 of up to 32 bytes: some platforms pad to that."""
    count = padded[-1] if padded else 0
    if not 1 <= count <= BLOCK_BYTES_MAX or padded[-count:] != bytes([count]) * count:
        return None
    return padded[:-count]


def _unwrapped(recipe: Encryption, plain: bytes, scope: Scope) -> bytes | None:
    rest = plain[recipe.skip_bytes :]
    if not recipe.length_bytes:
        return rest
    size = int.from_bytes(rest[: recipe.length_bytes], "big")
    message = rest[recipe.length_bytes :][:size]
    trailer = rest[recipe.length_bytes + size :]
    if recipe.trailer is not None and trailer.decode("utf-8", "replace") != _text(
        recipe.trailer, scope
    ):
        return None
    return message


def _key(recipe: Encryption, secret: str) -> bytes:
    if recipe.key_encoding == "text":
        return secret.encode()
    return _base64(secret + "=" * (-len(secret) % 4))


def _text(line: str, scope: Scope) -> str | None:
    try:
        found = expressions.value_of(line, scope)
    except Unmapped:
        return None
    return None if found is MISSING else str(found)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise PushRefused("decryption_failed", "the ciphertext is no base64") from None
