"""`hub channel load`: a file of a back office, looked at first, then sent."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
import typer

from hub import settings
from hub.channels import checked, files, tables
from hub.channels.files import Loaded, Where
from hub.channels.requests import Given
from hub.cli.connected import with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import events, topics
from hub.domain.documents import BadDocument
from hub.errors import SettingsError, UnreachableError
from hub.store import channels
from hub.store.channels import Found
from hub.store.sealing import Vault

FAULTS_SHOWN = 20


def load(  # noqa: PLR0913  # each is an option of the command
    channel: Annotated[str, typer.Argument(help="The channel's name.")],
    kind: Annotated[str, typer.Argument(help="What the file holds, by the pack: members, …")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="XLSX or CSV.")],
    as_of: Annotated[datetime, typer.Option(help="When the file was true (the pack's zone).")],
    shop: Annotated[str, typer.Option(help="The shop it is of.")] = "main",
    send: Annotated[bool, typer.Option("--send", help="Send it; without it, only look.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Send without bad rows.")] = False,
    as_json: Json = False,
) -> None:
    """Look at a file of a back office: its columns, what is refused by row, control totals.

    With --send its events go to the hub. Sent again, each row counts once.
    """
    with errors_in_words(as_json):
        loaded = _load(_find(channel), channel, kind, file, (shop, as_of))
        if send and loaded.faults and not skip_bad:
            mend = "mend the file, or leave them out by --skip-bad"
            raise SettingsError(
                f"{len(loaded.faults)} rows are refused", where=str(file), mend=mend
            )
        if send:
            asyncio.run(_send(loaded.events))
    _show(loaded, send, as_json)


def _find(channel: str) -> Found:
    vault = Vault(settings.load().secret())
    found = with_hub(lambda connection: channels.find(connection, vault, channel), "writer")
    if found is None:
        raise SettingsError(f"there is no channel '{channel}'", mend="hub channel apply")
    return found


def _load(found: Found, channel: str, kind: str, file: Path, where: tuple[str, datetime]) -> Loaded:
    try:
        pack = checked.for_channel(found.channel, found.pack_file)
        part = files.part_of(pack, kind)
        given = Given(channel, found.channel.settings, {}, found.channel.skus)
        at = where[1].replace(tzinfo=ZoneInfo(pack.time.zone))
        place = Where(where[0], at, datetime.now(UTC))
        return files.load(pack, part, given, tables.read(file.read_bytes()), place)
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}", where=str(file)) from bad


async def _send(made: list[dict[str, Any]]) -> None:
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    brokers = settings.load().brokers
    producer = AIOKafkaProducer(bootstrap_servers=brokers, acks="all", enable_idempotence=True)
    try:
        await producer.start()
        waiting: list[Any] = []
        for one in made:
            body = msgspec.json.encode(one)
            event = events.decode(body)
            key = events.partition_key(event)
            waiting.append(await producer.send(topics.topic_of(event.type), body, key=key))
        await asyncio.gather(*waiting)
    except KafkaError as error:
        raise UnreachableError(str(error), where=brokers, mend="start it: hub up") from error
    finally:
        await producer.stop()


def _show(loaded: Loaded, sent: bool, as_json: bool) -> None:
    if as_json:
        put_json(
            {
                "rows": loaded.rows,
                "taken": loaded.taken,
                "total": str(loaded.total),
                "columns": loaded.columns,
                "faults": msgspec.to_builtins(loaded.faults),
                "events": len(loaded.events),
                "sent": sent,
            }
        )
        return
    for field, header in loaded.columns.items():
        say(f"column {header}: {field}")
    for fault in loaded.faults[:FAULTS_SHOWN]:
        say(f"row {fault.row}, {fault.column}: {fault.reason}")
    say(f"{loaded.taken} of {loaded.rows} rows, total {loaded.total}, {len(loaded.events)} events")
    say("sent" if sent else "nothing was sent: look it over, then --send")
