"""`hub doctor`: prints what the checks of `hub.local.doctor` found."""

from typing import Annotated

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, put_json, say
from hub.local.doctor import Report, examine


def run(
    mirrors: Annotated[
        bool, typer.Option("--mirrors", help="Measure the sources of downloads too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong with this machine and how to mend it; status 1 if a hub can't run."""
    with errors_in_words(as_json):
        report = examine(settings.load(), measure_mirrors=mirrors)
    if as_json:
        put_json(report.as_dict())
    else:
        _print(report)
    raise typer.Exit(0 if report.ok else 1)


def _print(report: Report) -> None:
    for problem in report.problems:
        colour = "red" if problem.level == "problem" else "yellow"
        typer.secho(f"{problem.level}: {problem.what}", fg=colour)
        say(f"  why:  {problem.why}")
        say(f"  mend: {problem.mend}")
    for speed in report.speeds:
        source = f"{speed.source} ({'mirror' if speed.is_mirror else 'default'})"
        if speed.seconds is None:
            typer.secho(f"{source}: no answer: {speed.error}", fg="red")
        else:
            say(f"{source}: {speed.seconds} s, {speed.kilobytes_per_s} kB/s")
    if report.ok:
        typer.secho("A hub can run here.", fg="green")
