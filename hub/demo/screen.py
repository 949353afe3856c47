"""How the demo looks in a terminal: steps, bars, and the tables of the summary."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.demo.bakery.outcome import Disputes
from hub.demo.bakery.show import Shown
from hub.demo.summary import Summary
from hub.local.keeper import Change, State

QUIET = (State.WAITING, State.STARTING, State.STOPPING, State.STOPPED)
PAGES = {
    "api": (("console", "/console"), ("API", "/docs"), ("events it takes", "/asyncapi.json")),
    "dagster-webserver": (("assets, lineage, checks", "/"),),
}
DICTIONARY = "docs/data-dictionary.md"
DISPUTES = {
    "oversold_orders": "orders for cakes that were sold out",
    "unknown_vouchers": "vouchers the other system knew not",
    "wrong_balances": "points shown wrongly",
}


class Screen:
    """Writes for people; one per demo."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """One line with the seconds since the start."""
        self._console.print(f"[dim]{time.monotonic() - self._began:6.1f} s[/]  {text}")

    def step(self, text: str) -> None:
        """A step begins."""
        self.say(f"[bold]{text}[/]")

    def change(self, change: Change) -> None:
        """A part of the hub changed its state."""
        if change.state not in QUIET:
            colour = "red" if change.state is State.FAILED else "cyan"
            self.say(f"[{colour}]{change.name}[/] {change.state} [dim]{change.detail}[/]")

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int, int], None]]:
        """A bar moved by (done, of how many)."""
        self.step(title)
        columns = (TextColumn("         "), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            task = progress.add_task("", total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def bakery(self, shown: Shown) -> None:
        """The disputes of the day, before and after."""
        table = Table(title="麦香坊 · the day before Mother's Day, twice", title_justify="left")
        table.add_column("customers complain of")
        table.add_column("copied every 2 hours", justify="right")
        table.add_column("through the hub", justify="right")
        before, after = shown.before.disputes, shown.after.disputes
        for name, words in DISPUTES.items():
            table.add_row(words, str(getattr(before, name)), _good(getattr(after, name)))
        table.add_section()
        table.add_row("all disputes", str(before.total), _good(after.total))
        table.add_row("orders taken", str(shown.before.orders), str(shown.after.orders))
        self._console.print(table)
        for story in shown.stories:
            self.say(f"{_mark(story.holds)} {story.title} [dim]{story.ending}[/]")

    def summary(self, summary: Summary, addresses: dict[str, str]) -> None:
        """All figures, what holds, and where to look next."""
        self._events(summary)
        marts = Table(title="marts", title_justify="left")
        marts.add_column("mart")
        marts.add_column("rows", justify="right")
        for name, rows in summary.refreshed.rows.items():
            marts.add_row(name, f"{rows:,}")
        self._console.print(marts)
        self._proof(summary)
        for part, pages in PAGES.items():
            for title, path in pages if part in addresses else ():
                self._console.print(f"  {title:26} {addresses[part]}{path}")
        self._console.print(f"  {'what each column means':26} {DICTIONARY}")

    def _events(self, summary: Summary) -> None:
        table = Table(title="events", title_justify="left", show_header=False)
        measured, outcomes = summary.measured, summary.outcomes
        for name, value in (
            ("in", f"{summary.events_in:,}"),
            ("applied", f"{outcomes.applied:,}"),
            ("came twice", f"{outcomes.duplicates:,}"),
            ("ignored", f"{outcomes.ignored:,}"),
            ("parked", f"{outcomes.parked:,}"),
            ("dead letters", f"{outcomes.dead_letters:,}"),
            ("the hub's own decisions", f"{outcomes.decisions:,}"),
            ("sent late / swapped", f"{measured.late:,} / {measured.swapped:,}"),
            ("events/s, all at once", f"{measured.events_per_s:,.0f}"),
            ("produced to visible, p50", f"{measured.visible_ms_p50:.1f} ms"),
            ("produced to visible, p99", f"{measured.visible_ms_p99:.1f} ms"),
            ("killed meanwhile", ", ".join(measured.killed) or "nothing"),
        ):
            table.add_row(name, value)
        self._console.print(table)

    def _proof(self, summary: Summary) -> None:
        comparison = summary.comparison
        failed, passed = summary.failed_checks, summary.refreshed.checks_passed
        self.say(f"{_mark(not failed)} {passed} checks pass, {len(failed)} fail {failed or ''}")
        for name, counts in summary.refreshed.compared.items():
            mark = _mark(summary.refreshed.lists_agree[name])
            matched, rows = counts["matched"], sum(counts.values())
            self.say(f"{mark} {name}: {matched} of {rows} rows are as in the channel's own list")
        marts, equal = len(comparison.rows) - 1, sum(comparison.equal.values())
        self.say(
            f"{_mark(summary.source_equals_marts)} all {marts} marts and the metrics equal the "
            f"source: {equal:,} of {comparison.keys:,} rows; "
            f"{comparison.members:,} households found again"
        )
        for difference in comparison.differences:
            self.say(f"    [red]{difference}[/]")
        self.say(f"took {summary.wall_s:.0f} s")

    def stay(self, login: str, password: str, phone: str, shops: dict[str, str]) -> None:
        """The demo is over and the hub stays up; a visitor may log in to its console, and buy.
        shops: sample channel -> its address."""
        for program, address in shops.items():
            self._console.print(f"  {'to buy a cake: ' + program:26} {address}")
        self._console.print(f"  {'log in to the console as':26} {login}  {password}")
        self._console.print(f"  {'whom to look for there':26} {phone}, Lin of the stories")
        self._console.print(
            "\nThe hub is up; `hub status` and `hub check` know it. Ctrl-C ends it."
        )

    def json(self, line: str) -> None:
        """The last line: as it is, not wrapped and not coloured."""
        self._console.out(line, highlight=False)


def _good(count: int) -> str:
    return f"[green]{count}[/]" if count == 0 else f"[red]{count}[/]"


def _mark(is_good: bool) -> str:
    return "[green]✔[/]" if is_good else "[red]✘[/]"


assert set(DISPUTES) == set(Disputes.__dataclass_fields__)
