"""First drafts of rules, from the templates that come with the hub."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from hub.errors import HubError
from hub.rules import document, text

CHANNEL = "event.channel"


class NoSuchTemplate(HubError):
    """There is no template of this name."""


def templates() -> dict[str, str]:
    """The templates by name, as they are written."""
    folder = files("hub.rules") / "templates"
    return {
        file.name.removesuffix(".yaml"): file.read_text(encoding="utf-8")
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
    }


def draft(template: str, name: str, channels: Mapping[str, str] | None = None) -> str:
    """A rule called `name` from a template. channels: what the template's channels, `website` and
    `mini-program`, are called here. Raises `NoSuchTemplate`."""
    known = templates()
    if template not in known:
        listed = ", ".join(sorted(known))
        raise NoSuchTemplate(f"there is no template '{template}'", mend=f"one of: {listed}")
    written = known[template].replace(f"rule: {template}\n", f"rule: {name}\n", 1)
    if not channels:
        return written
    plain = document.plain(document.parse(written)[0])
    return text.write(_renamed(plain, channels))


def _renamed(value: Any, channels: Mapping[str, str]) -> Any:
    """The same document with other names of channels, where channels are meant."""
    if isinstance(value, list):
        return [_renamed(one, channels) for one in value]
    if not isinstance(value, dict):
        return value
    made = {name: _renamed(one, channels) for name, one in value.items()}
    if made.get("do") == "deliver":
        made["to"] = channels.get(made["to"], made["to"])
    if made.get("field") == CHANNEL and isinstance(made.get("value"), str):
        made["value"] = channels.get(made["value"], made["value"])
    if "channels" in made and made.keys() & {"events", "schedule"}:
        made["channels"] = [channels.get(one, one) for one in made["channels"]]
    return made
