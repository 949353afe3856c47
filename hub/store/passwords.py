"""Passwords: what is kept of one, and whether another is the same. No I/O."""

import base64
import hashlib
import secrets
from hmac import compare_digest

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 256
GENERATED_BYTES = 12
# 32 MiB and some 0.2 s of one core a try: OWASP's second choice for scrypt.
COST, BLOCK, PARALLEL = 2**15, 8, 3
MEMORY_MAX = 64 * 1024 * 1024
SALT_BYTES = 16
DIGEST_BYTES = 32
NOBODYS = f"scrypt${COST}${BLOCK}${PARALLEL}${'A' * 24}${'A' * 43}="
"""Tried for names that nobody has, so that the time of an answer does not tell who exists. No
password is known that has this digest."""


def generate() -> str:
    """A password of 96 random bits."""
    return secrets.token_urlsafe(GENERATED_BYTES)


def is_fit(password: str) -> bool:
    """Long enough to be no easy guess, short enough to be no load."""
    return PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX


def digest_of(password: str) -> str:
    """What is kept of a password: `scrypt$N$r$p$salt$digest`."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = _scrypt(password, salt, COST, BLOCK, PARALLEL)
    words = ["scrypt", str(COST), str(BLOCK), str(PARALLEL)]
    return "$".join([*words, *(base64.b64encode(part).decode() for part in (salt, digest))])


def matches(password: str, kept: str) -> bool:
    """True if `kept` is of this password; takes as long if it is not."""
    _, cost, block, parallel, salt, digest = kept.split("$")
    tried = _scrypt(password, base64.b64decode(salt), int(cost), int(block), int(parallel))
    return compare_digest(tried, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(
        secret, salt=salt, n=cost, r=block, p=parallel, maxmem=MEMORY_MAX, dklen=DIGEST_BYTES
    )
