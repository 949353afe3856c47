"""`hub channel`: connect a platform by its pack. Packs are files; nothing here needs a restart."""

import difflib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from hub import settings
from hub.channels import checked, shipped
from hub.channels.pack import Pack
from hub.cli import channel_load, channel_polls
from hub.cli.connected import with_hub
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.domain import channels as documents
from hub.domain.channels import Channel, PackFile
from hub.domain.documents import BadDocument
from hub.errors import SettingsError
from hub.store import channels, configs, db
from hub.store.channels import Found
from hub.store.configs import Draft
from hub.store.sealing import Vault

app = typer.Typer(no_args_is_help=True)
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The pack's file, YAML.")]


@app.callback()
def group() -> None:
    """Channels."""


@app.command()
def new(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    like: Annotated[str, typer.Option(help="The shipped pack to begin with.")] = "website",
) -> None:
    """Write a pack's file to begin with, a copy of one that is shipped."""
    with errors_in_words():
        if like not in shipped.names():
            known = ", ".join(shipped.names())
            raise SettingsError(f"there is no pack '{like}'", mend=f"one of {known}")
        if file.exists():
            raise SettingsError("the file exists", where=str(file), mend="choose another name")
        file.write_text(shipped.text(like), "utf-8")
    say(f"{file} written; see docs/channels.md, then: hub channel test {file}")


@app.command("test")
def run_samples(file: File, as_json: Json = False) -> None:
    """Run a pack's own samples. Needs no hub."""
    with errors_in_words(as_json):
        pack = _read(file)
    failures = checked.failures(pack)
    if as_json:
        shown = [msgspec.to_builtins(failure) for failure in failures]
        put_json({"pack": pack.pack, "samples": len(pack.samples), "failures": shown})
    else:
        for failure in failures:
            say(str(failure))
        say(f"{len(pack.samples) - len(failures)} of {len(pack.samples)} samples are as they say")
    if failures:
        raise typer.Exit(1)


@app.command()
def diff(file: File) -> None:
    """Show what a file changes of the pack that is in force."""
    with errors_in_words():
        pack = _read(file)
        kept = with_hub(lambda connection: channels.find_pack(connection, pack.pack), "reader")
    before = kept.text if kept is not None else ""
    if not before and pack.pack in shipped.names():
        before = shipped.text(pack.pack)
    lines = difflib.unified_diff(
        before.splitlines(),
        file.read_text("utf-8").splitlines(),
        "in force",
        str(file),
        lineterm="",
    )
    found = list(lines)
    for line in found:
        say(line)
    if not found:
        say("nothing")


@app.command()
def apply(  # noqa: PLR0913  # each is an option of the command
    channel: Annotated[str, typer.Argument(help="The channel's name.")],
    reason: Annotated[str, typer.Option(help="Why: kept with the version.")],
    pack: Annotated[str | None, typer.Option(help="A pack that is shipped or uploaded.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A pack's file to upload.")
    ] = None,
    state: Annotated[
        str | None, typer.Option(help="draft, shadow, live or off; a new channel begins as draft.")
    ] = None,
    pack_version: Annotated[
        int | None, typer.Option(help="Stay with this version of the pack; 0 for the newest.")
    ] = None,
    setting: Annotated[list[str] | None, typer.Option(help="NAME=VALUE.")] = None,
    secret: Annotated[
        list[str] | None, typer.Option(help="NAME: its value is asked for, and not shown.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put a channel in force, uploading its pack if a file is given. What is not named stays."""
    with errors_in_words(as_json):
        upload = _checked(file) if file is not None else None
        name = upload.pack if upload is not None else pack
        secrets = [(one, typer.prompt(one, hide_input=True)) for one in secret or []]
        named = {"pack": name, "state": state, "pack_version": pack_version}
        said = {key: value for key, value in named.items() if value is not None}
        plan = _Plan(channel, said, _settings(setting or []), upload, secrets, reason)
        applied = with_hub(plan.apply, "writer")
    _put(channel, applied, as_json)


@app.command()
def switch(
    channel: Annotated[str, typer.Argument(help="The channel's name.")],
    state: Annotated[str, typer.Argument(help="draft, shadow, live or off.")],
    reason: Annotated[str, typer.Option(help="Why: kept with the version.")],
    as_json: Json = False,
) -> None:
    """Let a channel go live, back to shadow, or off; nothing else of it changes."""
    with errors_in_words(as_json):
        plan = _Plan(channel, {"state": state}, {}, None, [], reason)
        applied = with_hub(plan.apply, "writer")
    _put(channel, applied, as_json)


def _put(channel: str, applied: "_Applied", as_json: bool) -> None:
    made = applied.channel
    if as_json:
        shown = {"pack": made.pack, "state": made.state, "version": applied.version}
        put_json({"channel": channel} | shown)
    else:
        say(f"{channel}: version {applied.version} by the pack {made.pack}, {made.state}")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show all channels; of secrets their names only."""
    with errors_in_words(as_json):
        rows = with_hub(channels.listed, "writer")
    if as_json:
        put_json(rows)
        return
    for row in rows:
        secrets = ", ".join(f"{name} ({live})" for name, live in row["secrets"].items())
        say(f"{row['channel']}  {row['pack']}  {row.get('state', 'draft')}  {secrets}")
    if not rows:
        say(f"no channel is configured; packs: {', '.join(shipped.names())}")


app.command()(channel_load.load)
app.command()(channel_polls.polls)
app.command()(channel_polls.rewind)


class _Applied(msgspec.Struct):
    """The channel as it is in force now."""

    channel: Channel
    version: int


class _Plan(msgspec.Struct):
    """What is changed of a channel, in one transaction."""

    channel: str
    said: dict[str, Any]
    settings: dict[str, str]
    upload: PackFile | None
    secrets: list[tuple[str, str]]
    reason: str

    async def apply(self, connection: db.Connection) -> _Applied:
        vault = Vault(settings.load().secret())
        async with connection.transaction():
            if self.upload is not None:
                file = msgspec.to_builtins(self.upload)
                draft = Draft(documents.PACK_KIND, self.upload.pack, file, self.reason)
                await configs.publish(connection, vault, draft)
            document = self._document(await channels.find(connection, vault, self.channel))
            channel = _channel(document)
            named = (channel.pack, channel.pack_version)
            _for_channel(channel, self.upload or await channels.find_pack(connection, *named))
            for secret in self.secrets:
                await channels.put_secret(connection, vault, self.channel, secret)
            draft = Draft(documents.KIND, self.channel, document, self.reason)
            await configs.publish(connection, vault, draft)
        rows = await configs.listed(connection, documents.KIND, self.channel)
        return _Applied(channel, rows[0]["version"])

    def _document(self, known: Found | None) -> dict[str, Any]:
        """The channel as it was, with what is said. Settings and a version that is stayed with
        belong to a pack: another one begins without."""
        before = msgspec.to_builtins(known.channel) if known is not None else {}
        made = before | self.said
        if "pack" not in made:
            mend = "hub channel apply with --pack NAME or --file FILE"
            raise SettingsError(f"channel '{self.channel}' has no pack yet", mend=mend)
        is_same = made["pack"] == before.get("pack")
        if self.upload is not None or not is_same:
            made["pack_version"] = self.said.get("pack_version")
        made["pack_version"] = made.get("pack_version") or None
        made["settings"] = (before.get("settings", {}) if is_same else {}) | self.settings
        return {name: value for name, value in made.items() if value is not None}


def _read(file: Path) -> Pack:
    try:
        return checked.read(file.read_text("utf-8"))
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}", where=str(file)) from bad


def _checked(file: Path) -> PackFile:
    text = file.read_text("utf-8")
    try:
        pack = checked.pack(text)
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}", where=str(file)) from bad
    return PackFile(pack.pack, pack.version, text)


def _channel(document: dict[str, Any]) -> Channel:
    try:
        return documents.read(document)
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}") from bad


def _for_channel(channel: Channel, file: PackFile | None) -> None:
    try:
        checked.for_channel(channel, file)
    except BadDocument as bad:
        raise SettingsError(f"{bad.field}: {bad.reason}") from bad


def _settings(pairs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise SettingsError(f"'{pair}' is not NAME=VALUE")
        found[name] = value
    return found
