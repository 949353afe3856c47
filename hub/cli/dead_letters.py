"""`hub dead-letters`: list, show and redrive what could not be applied."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say, unreachable_in_words
from hub.domain import ids, topics
from hub.errors import SettingsError, UnreachableError
from hub.store import db, dead_letters
from hub.store.sealing import Vault

LIST_DEFAULT = 50
BODY_SHOWN_BYTES = 4000

app = typer.Typer(no_args_is_help=True)
_Result = TypeVar("_Result")
_Id = Annotated[str, typer.Argument(help="The dead letter's id, from `list`.")]


@app.command("list")
def list_letters(
    state: Annotated[str, typer.Option(help="open, redriven or dismissed.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=dead_letters.PAGE_MAX)] = LIST_DEFAULT,
    as_json: Json = False,
) -> None:
    """List the oldest dead letters of a state, without their bodies."""
    with errors_in_words(as_json):
        found = _on_connection(lambda connection: dead_letters.page(connection, state, limit))
    if as_json:
        put_json(found)
        return
    for letter in found:
        place = f"{letter['topic']}/{letter['partition']}/{letter['kafka_offset']}"
        say(f"{letter['dead_letter_id']}  {place}  {letter['reason_code']}: {letter['reason']}")
    say(f"{len(found)} {state} dead letters shown")


@app.command()
def show(letter_id: _Id, as_json: Json = False) -> None:
    """Show one dead letter with its original bytes, headers and reason."""
    hub = settings.load()
    with errors_in_words(as_json):
        key = _key(letter_id)
        vault = Vault(hub.secret())
        letter = _on_connection(lambda connection: dead_letters.show(connection, vault, key))
    printable = {name: _printable(value) for name, value in letter.items()}
    if as_json:
        put_json(printable)
        return
    for name, value in printable.items():
        say(f"{name:16} {value}")


@app.command()
def redrive(
    letter_ids: Annotated[list[str], typer.Argument(help="Ids from `list`.")],
    as_json: Json = False,
) -> None:
    """Send dead letters to their topics again, as they came."""
    hub = settings.load()
    with errors_in_words(as_json):
        keys = [_key(one) for one in letter_ids]
        sent = _on_connection(lambda connection: _redrive(hub, connection, keys))
    if as_json:
        put_json({"asked": len(keys), "sent": sent})
    else:
        say(f"{sent} of {len(keys)} sent again")


async def _redrive(hub: settings.Settings, connection: db.Connection, keys: list[bytes]) -> int:
    from aiokafka import AIOKafkaProducer
    from aiokafka.errors import KafkaError

    producer = AIOKafkaProducer(bootstrap_servers=hub.brokers, acks="all", enable_idempotence=True)

    async def send(
        topic: str, key: bytes | None, body: bytes | None, headers: list[tuple[str, bytes]]
    ) -> None:
        await producer.send_and_wait(topic, body, key=key, headers=headers)

    try:
        await _refuse_pushes(hub, connection, keys)
        await producer.start()
        vault = Vault(hub.secret())
        return await dead_letters.redrive(connection, vault, keys, send, getpass.getuser())
    except KafkaError as error:
        raise UnreachableError(str(error), where=hub.brokers, mend="start it: hub up") from error
    finally:
        await producer.stop()


async def _refuse_pushes(
    hub: settings.Settings, connection: db.Connection, keys: list[bytes]
) -> None:
    """A push that its channel's pack had no place for is read again by the pack, not by streams."""
    for key in keys:
        letter = await dead_letters.show(connection, Vault(hub.secret()), key)
        if letter["topic"] == topics.INBOUND:
            raise SettingsError(
                "it is a push of a platform",
                where=ids.text(key),
                mend="mend the channel's pack, then POST /v1/channels/{channel}/retry",
            )


def _on_connection(work: Callable[[db.Connection], Awaitable[_Result]]) -> _Result:
    """Do the work on one connection as the writer."""

    async def connected() -> _Result:
        connection = await db.connect(settings.load().dsn("writer"))
        try:
            return await work(connection)
        finally:
            await connection.close()

    with unreachable_in_words():
        return asyncio.run(connected())


def _key(text: str) -> ids.Key:
    try:
        return ids.parse(text)
    except ValueError as error:
        raise SettingsError(f"{text!r} is not an id", mend="see `hub dead-letters list`") from error


def _printable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value[:BODY_SHOWN_BYTES].decode("utf-8", errors="backslashreplace")
    return value
