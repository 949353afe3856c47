"""The demo from start to end: a hub, the bakery's day, a month of real input, marts, proof.

Each step's work is elsewhere; this is their order and what they hand on.
"""

import asyncio
import itertools
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hub import settings as settings_module
from hub.demo import feed, journey, marts, progress, source, visible
from hub.demo.bakery import shopping, show, stories
from hub.demo.chaos import Chaos, spread
from hub.demo.disturb import Disturbance, Disturbed
from hub.demo.envelope import Record
from hub.demo.folder import fresh_folder
from hub.demo.options import DemoOptions
from hub.demo.oracle import comparing
from hub.demo.oracle.journey import Journey
from hub.demo.screen import Screen
from hub.demo.summary import Measured, Summary
from hub.local.supervisor import Supervisor
from hub.settings import Settings
from hub.store import check, db, passwords, people
from hub.store.people import NewPerson

DATA_PLANE = ("postgres", "kafka", "worker", "rules", "deliveries", "api")
CALM_BASKETS = 300
"""The last baskets of the window come at a calm pace: there latency is that of the hub, while
before it is that of a queue we filled as fast as we could."""
CALM_EVENTS_PER_S = 100.0
STALLED_AFTER_S = 90.0
"""Longer than a killed broker, database and worker take to come back one after another."""


VISITOR = NewPerson("visitor", "Visitor", "operator")
INTERRUPTED = 130
"""What a shell calls the exit of a program that Ctrl-C ended."""


def run(options: DemoOptions) -> int:
    """Run the demo; 0 if every proof holds, 1 if not, 130 if it was ended before."""
    screen = Screen()
    try:
        # The bakery's channels listen on this machine.
        return _run(options, settings_module.load(local_receivers=True), screen)
    except KeyboardInterrupt:
        screen.say("ended before the summary; nothing runs any more")
        return INTERRUPTED


def _run(options: DemoOptions, settings: Settings, screen: Screen) -> int:
    with _ctrl_c_for_every_end():
        fresh_folder(settings, screen.step)
        os.environ.update(shopping.lists(settings))
        with Supervisor(settings, report=screen.change) as hub:
            summary = Demo(options, settings, hub, screen).play()
            screen.summary(summary, hub.addresses())
            if not options.exit_after:
                password = asyncio.run(_let_in(settings))
                with shopping.open_shops(settings) as shops:
                    screen.stay(VISITOR.person_id, password, stories.phone_of(), shops)
                    _wait_for_ctrl_c()
    if options.exit_after:
        screen.json(json.dumps(summary.figures(), ensure_ascii=False))
    return 0 if summary.holds else 1


async def _let_in(settings: Settings) -> str:
    """Let a visitor see the console; the password."""
    password = passwords.generate()
    connection = await db.connect(settings.dsn("writer"))
    try:
        await people.add(connection, VISITOR, password, "demo")
    finally:
        await connection.close()
    return password


@dataclass
class Demo:
    """One demo in a hub that is starting."""

    options: DemoOptions
    settings: Settings
    hub: Supervisor
    screen: Screen

    def play(self) -> Summary:
        """All steps in order."""
        began = time.monotonic()
        names = [name for name in self.hub.names() if name.partition("-")[0] in DATA_PLANE]
        self.hub.wait_ready(*names)
        since = progress.now(self.settings)
        shown = self._bakery()
        tables = source.load(self._window())
        fed, measured = self._journey(tables)
        self.screen.step("waiting for Dagster's pages")
        self.hub.wait_ready()
        self.screen.step("building the marts")
        with shopping.open_shops(self.settings):
            refreshed = marts.refresh(self.settings)
        self.screen.step("checking the invariants")
        checks = asyncio.run(check.run(self.settings.dsn("writer")))
        self.screen.step("comparing the marts with the source")
        window = tables.window
        sold = Journey(window.first, window.last, self.options.seed, self.settings.business_zone)
        return Summary(
            shown=shown,
            events_in=fed + shown.events,
            outcomes=progress.outcomes(self.settings, since),
            measured=measured,
            refreshed=refreshed,
            invariants={result.name: result.violations for result in checks},
            comparison=comparing.compare(self.settings.dsn("reader"), sold),
            wall_s=time.monotonic() - began,
        )

    def _bakery(self) -> show.Shown:
        with self.screen.bar("the bakery's day, through the hub") as bar:
            shown = show.show(self.settings, self.options.seed, bar)
        self.screen.bakery(shown)
        return shown

    def _window(self) -> source.Window:
        if self.options.year:
            return source.WHOLE_YEAR
        first, last = self.options.months
        return source.Window(source.month(first).first, source.month(last).last)

    def _journey(self, tables: source.Tables) -> tuple[int, Measured]:
        """Feed the window, its end calmly; how many events, and what was measured."""
        events = journey.count(tables)
        disturbed = Disturbed(
            journey.records(tables, self.options.seed), Disturbance(self.options.seed)
        )
        fast, calm = _split(iter(disturbed), journey.last_baskets_at(tables, CALM_BASKETS))
        chaos = Chaos(self.hub, spread(events), self.screen.say) if self.options.chaos else None
        began = time.monotonic()
        with self.screen.bar(f"real input, {tables.window.first} to {tables.window.last}") as bar:

            async def note(produced: int) -> None:
                bar(produced, events)
                if chaos is not None:
                    await chaos.strike(produced)

            pace = feed.Pace(events_per_s=self.options.speed)
            fed = asyncio.run(feed.feed(self.settings.brokers, fast, pace, note))
        self.screen.step("waiting until all of it is applied")
        progress.wait_applied(self.settings, STALLED_AFTER_S)
        applied_s = time.monotonic() - began
        with visible.VisibleProbe(self.settings) as probe:
            self.screen.step(f"the last baskets, {CALM_EVENTS_PER_S:.0f} events/s")
            slow = feed.Pace(events_per_s=CALM_EVENTS_PER_S)
            calmly = asyncio.run(feed.feed(self.settings.brokers, calm, slow))
            progress.wait_applied(self.settings, STALLED_AFTER_S)
        latencies = probe.latencies_ms()
        return fed.events + calmly.events, Measured(
            events_per_s=fed.events / applied_s,
            visible_ms_p50=visible.percentile(latencies, 0.50),
            visible_ms_p99=visible.percentile(latencies, 0.99),
            twice=disturbed.twice,
            late=disturbed.late,
            swapped=disturbed.swapped,
            killed=tuple(chaos.killed) if chaos is not None else (),
        )


def _split(records: Iterator[Record], cut_s: int) -> tuple[Iterator[Record], Iterator[Record]]:
    """The stream up to the first event that happened at `cut_s` or later, and the rest."""
    rest: list[Record] = []

    def first() -> Iterator[Record]:
        for record in records:
            if record.at_s >= cut_s:
                rest.append(record)
                return
            yield record

    return first(), itertools.chain(_later(rest), records)


def _later(kept: list[Record]) -> Iterator[Record]:
    """What is in the list when it is asked for, not now."""
    yield from kept


@contextmanager
def _ctrl_c_for_every_end() -> Iterator[None]:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does: all parts are stopped in order.

    A second signal while they stop changes nothing: their stop has limits of its own.
    """
    is_ending = False

    def interrupt(*_: Any) -> None:
        nonlocal is_ending
        if not is_ending:
            is_ending = True
            raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait_for_ctrl_c() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
