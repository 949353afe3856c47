"""Both plays of the bakery's day and the founding stories in one running hub: keys, clients, and
the results."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg

from hub.demo.api_client import ChannelClient
from hub.demo.bakery import copying, day, live, shopping, syncing, town
from hub.demo.bakery.outcome import Played
from hub.demo.bakery.stories import Clients, Teller, Told
from hub.local import samples
from hub.settings import Settings
from hub.store import configs, db, keys
from hub.store.configs import Draft
from hub.store.sealing import Vault

CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class Shown:
    """The day before and after, and the stories; `events` the hub was told. rule_runs: rule -> how
    many of its runs did something."""

    before: Played
    after: Played
    stories: list[Told]
    events: int
    rule_runs: dict[str, int]


@contextmanager
def connected(settings: Settings) -> Iterator[Clients]:
    """A client with a key of its own for each of the bakery's channels."""
    scopes: dict[str | None, tuple[str, ...]] = dict.fromkeys(town.CHANNELS, samples.SCOPES)
    with _clients(settings, asyncio.run(_make_keys(settings, scopes))) as clients:
        yield clients


@contextmanager
def connected_house(settings: Settings) -> Iterator[ChannelClient]:
    """A client with a key of no channel, by which rules are published; and the bakery's levels."""
    asyncio.run(_publish_levels(settings))
    tokens = asyncio.run(_make_keys(settings, {None: syncing.HOUSE_SCOPES}))
    with _clients(settings, tokens) as clients:
        yield clients[syncing.HOUSE]


@contextmanager
def _clients(settings: Settings, tokens: dict[str | None, str]) -> Iterator[Clients]:
    clients = {
        channel or syncing.HOUSE: ChannelClient(settings.api_port, channel or syncing.HOUSE, token)
        for channel, token in tokens.items()
    }
    try:
        yield clients
    finally:
        for client in clients.values():
            client.close()


def show(
    settings: Settings, seed: int, on_progress: Callable[[int, int], None] = lambda *_: None
) -> Shown:
    """Play the day both ways and tell the stories. on_progress: called with (intents played, of how
    many)."""
    with connected(settings) as clients, connected_house(settings) as house:
        # A hub that has seen the day before gets other people and another name for each place.
        earlier = live.plays_before(clients)
        chain = town.build(seed + earlier)
        wanted = day.intents(chain, seed + earlier)
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            on_progress(done, len(wanted))

        suffix = f"-{earlier + 1}" if earlier else ""
        with syncing.syncing(clients, house, suffix) as rules:
            after, events = live.play(clients, chain, wanted, suffix, count)
            teller = Teller(clients, suffix)
            stories = teller.tell() + shopping.tell(settings, suffix)
            rules.try_each()
            stories.append(rules.told())
            runs = rules.runs()
        told = events + teller.sent + rules.sent
        return Shown(copying.play(wanted), after, stories, told, runs)


async def _make_keys(
    settings: Settings, scopes: Mapping[str | None, tuple[str, ...]]
) -> dict[str | None, str]:
    """A key for each of these channels, as `hub key create` makes them."""
    connection = await asyncpg.connect(
        settings.dsn("writer"), timeout=CONNECT_TIMEOUT_S, command_timeout=CONNECT_TIMEOUT_S
    )
    try:
        return {
            channel: await keys.create(connection, keys.NewKey("bakery demo", wanted, channel))
            for channel, wanted in scopes.items()
        }
    finally:
        await connection.close()


async def _publish_levels(settings: Settings) -> None:
    connection = await db.connect(settings.dsn("writer"))
    try:
        async with connection.transaction():
            club = Draft("tier_scheme", "bakery-club", syncing.CLUB, syncing.REASON)
            await configs.publish(connection, Vault(settings.secret()), club)
    finally:
        await connection.close()
