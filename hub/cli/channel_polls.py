"""`hub channel polls` and `rewind`: how far the lists of platforms were read, and reading anew."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from hub import settings
from hub.channels import checked
from hub.channels.pack import Pack
from hub.cli.connected import actor, with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain.documents import BadDocument
from hub.errors import SettingsError
from hub.store import audit, channels, platform_polls
from hub.store.audit import Deed
from hub.store.db import Connection
from hub.store.sealing import Vault

Name = Annotated[str, typer.Argument(help="The channel's name.")]


def polls(
    channel: Annotated[str | None, typer.Argument(help="Of this channel only.")] = None,
    as_json: Json = False,
) -> None:
    """Show how far each list of a platform was read, and what hinders it."""
    with errors_in_words(as_json):
        rows = with_hub(lambda connection: platform_polls.listed(connection, channel), "writer")
    if as_json:
        put_json([{name: _plain(value) for name, value in row.items()} for row in rows])
        return
    for row in rows:
        state = row["error"] or f"{row['messages']} messages so far"
        say(f"{row['channel']}  {row['poll']}  read until {row['read_until']:%F %T%z}  {state}")
    if not rows:
        say("no list was read so far")


def rewind(
    channel: Name,
    poll: Annotated[str, typer.Argument(help="The list, by its name in the pack.")],
    to: Annotated[datetime, typer.Option(help="Read again from here (the pack's zone).")],
    as_json: Json = False,
) -> None:
    """Read a list of the platform again from a time on. What comes again counts once."""
    vault = Vault(settings.load().secret())

    async def work(connection: Connection) -> datetime:
        pack = await _pack(connection, vault, channel)
        if poll not in pack.polls:
            known = ", ".join(sorted(pack.polls)) or "it has none"
            raise SettingsError(f"the pack has no list '{poll}'", mend=known)
        moment = to if to.tzinfo is not None else to.replace(tzinfo=ZoneInfo(pack.time.zone))
        if moment > datetime.now(UTC):
            raise SettingsError(
                "the time is not over yet",
                where=str(to),
                mend="what comes until then would be lost",
            )
        async with connection.transaction():
            await platform_polls.rewind(connection, channel, poll, moment)
            place, said = f"channels/{channel}/polls/{poll}", {"to": moment.isoformat()}
            await audit.record(
                connection, Deed(actor(), "poll.rewound", place, channel, detail=said)
            )
        return moment

    with errors_in_words(as_json):
        moment = with_hub(work, "writer")
    if as_json:
        put_json({"channel": channel, "poll": poll, "read_until": moment.isoformat()})
    else:
        say(f"{channel}: {poll} is read again from {moment:%F %T%z} on")


async def _pack(connection: Connection, vault: Vault, channel: str) -> Pack:
    found = await channels.find(connection, vault, channel)
    if found is None:
        raise SettingsError(f"there is no channel '{channel}'", mend="hub channel apply")
    try:
        return checked.for_channel(found.channel, found.pack_file)
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}") from bad


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
