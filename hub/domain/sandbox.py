"""Channels for trying the hub out: what they tell is checked and kept, and counts nowhere. Pure.

A channel is a sandbox by its name, not by a setting: nothing has to be looked up, no order of
arrival matters, and what was a trial once can never become real.
"""

from hub.domain import ids
from hub.domain.envelope import ignored
from hub.domain.ids import Key

CHANNEL = "sandbox"
PREFIX = f"{CHANNEL}-"
KIND = "sandbox"
"""The kind of entity that a sandbox's events are about: no noun takes it."""
IGNORED = ignored("it is of a sandbox channel: it was checked and kept, and counts nowhere")


def is_sandbox(channel: str) -> bool:
    """Whether a channel is for trying out: `sandbox`, `sandbox-website`, …"""
    return channel.startswith(CHANNEL) and (channel == CHANNEL or channel.startswith(PREFIX))


def entity_of(event_key: Key) -> Key:
    """What a sandbox's event is about: itself alone, so that it meets no real entity."""
    return ids.derived(KIND, event_key)
