"""What a reader is: it says which entity an event is about, and reads its payload."""

from collections.abc import Callable
from typing import Any

from hub.domain import ids

Read = tuple[str, str, ids.Key, Any]
"""(entity kind, subject, entity key, data)"""
Reader = Callable[[str, str, Any], Read]
"""(channel, shop, payload) -> Read"""


def nothing(payload: Any) -> None:
    """Of an event whose type says it all."""
    return
