"""Small values that go out and come back unchanged: page cursors and receipts of sent events.

They are signed, not secret. Not here: what is in them.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Any, TypeVar

import msgspec

from hub.settings import Settings
from hub_api.limits import CURSOR_LENGTH_MAX

SIGNATURE_BYTES = 16
_Value = TypeVar("_Value")


class Signer:
    """Signs values for one use each: what was signed for one purpose is refused for any other."""

    def __init__(self, settings: Settings) -> None:
        self._key = settings.derived_key("api cursors and receipts")

    def seal(self, purpose: str, value: Any) -> str:
        """The value as text for a URL."""
        body = msgspec.json.encode(value)
        sealed = self._signature(purpose, body) + body
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, purpose: str, text: str, kind: type[_Value]) -> _Value | None:
        """The value sealed for this purpose; None for anything else."""
        if len(text) > CURSOR_LENGTH_MAX or not text.isascii():
            return None
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        except binascii.Error:
            return None
        signature, body = sealed[:SIGNATURE_BYTES], sealed[SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(purpose, body)):
            return None
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.MsgspecError:
            return None

    def _signature(self, purpose: str, body: bytes) -> bytes:
        text = f"{len(purpose)}:{purpose}".encode() + body
        return hmac.new(self._key, text, hashlib.sha256).digest()[:SIGNATURE_BYTES]
