"""Configuration in Postgres: each version of each document, added and never changed.

A version is a decision in the log like any other. What reads the documents of a kind, and refuses
those that are no good: `hub.domain.configs`.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from hub.domain import configs
from hub.domain.decisions import Decision
from hub.domain.documents import BadDocument, Document, Version, in_force
from hub.domain.envelope import APPLIED, Event
from hub.errors import HubError, Refused
from hub.store import commands, points_rules
from hub.store.db import Connection, Rows, queries
from hub.store.records import Work
from hub.store.sealing import Vault

_CONFIGS = Rows(
    "configs",
    key=("event_key",),
    columns={
        "event_key": "uuid",
        "kind": "text",
        "name": "text",
        "document": "jsonb",
        "reason": "text",
        "valid_from": "timestamptz",
        "published_at": "timestamptz",
    },
)


class ConfigInvalid(HubError):
    """The document cannot be used."""


class Draft(Struct, frozen=True):
    """A document to be published; valid_from: None for at once."""

    kind: str
    name: str
    document: Document
    reason: str
    valid_from: datetime | None = None


async def apply(connection: Connection, work: Work) -> None:
    """Keep the versions that were published."""
    new = work.of("config")
    if not new:
        return
    if points_rules.published_in(work):
        await points_rules.fence(connection)
    for event in new:
        if work.is_decision and _starts_at(event) < event.occurred_at:
            raise Refused("config_in_the_past", "a version cannot count for what has happened")
        work.verdicts[event.key] = APPLIED
    await _CONFIGS.insert(connection, [_row(event) for event in new])


async def publish(connection: Connection, vault: Vault, draft: Draft) -> None:
    """Publish a version, in the caller's transaction. Raises `ConfigInvalid`, `Refused`."""
    await commands.run(connection, vault, [decision(draft)])


def decision(draft: Draft) -> Decision:
    """The decision that publishes a version. Raises `ConfigInvalid`."""
    try:
        configs.read(draft.kind, draft.document)
    except BadDocument as bad:
        raise ConfigInvalid(bad.reason, where=bad.field) from None
    said = {name: value for name, value in msgspec.structs.asdict(draft).items() if value}
    subject = f"{draft.kind}/{draft.name}"
    return Decision("config.published", "", "", subject, {"document": {}} | said)


async def versions(connection: Connection, kind: str) -> dict[str, list[Version[Any]]]:
    """All versions of the documents of a kind by name, the oldest first, as the kind reads them."""
    rows = await connection.fetch(queries("configs")["versions"], kind)
    found: dict[str, list[Version[Any]]] = {}
    for row in rows:
        read = configs.read(kind, row["document"])
        known = found.setdefault(row["name"], [])
        known.append(Version(len(known) + 1, row["valid_from"], read))
    return found


async def current(connection: Connection, kind: str, at: datetime) -> dict[str, Any]:
    """The documents of a kind that are in force at a time, by name."""
    known = await versions(connection, kind)
    found = {name: in_force(listed, at) for name, listed in known.items()}
    return {name: version.document for name, version in found.items() if version is not None}


async def one(connection: Connection, kind: str, name: str, at: datetime) -> Any:
    """The document of this name that is in force at a time, as its kind reads it, or None."""
    document = await connection.fetchval(queries("configs")["in_force"], kind, name, at)
    return configs.read(kind, document) if document is not None else None


async def listed(connection: Connection, kind: str | None, name: str | None) -> list[Any]:
    """The rows of versions, the newest first in each document; of one kind or document only."""
    return await connection.fetch(queries("configs")["listed"], kind, name)


def _starts_at(event: Event) -> datetime:
    return event.data.valid_from or event.occurred_at


def _row(event: Event) -> tuple[object, ...]:
    return (
        event.key,
        event.data.kind,
        event.data.name,
        event.data.document,
        event.data.reason,
        _starts_at(event),
        event.occurred_at,
    )
