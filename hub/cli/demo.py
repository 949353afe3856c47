"""`hub demo`: everything at once, on real input. What it does is in `hub.demo`."""

from typing import Annotated

import typer

from hub.cli.screen import errors_in_words


def run(
    exit_after: Annotated[
        bool,
        typer.Option("--exit", "--json", help="End after the summary; the last line is JSON."),
    ] = False,
    chaos: Annotated[
        bool, typer.Option("--chaos", help="Kill workers, broker and database meanwhile.")
    ] = False,
    year: Annotated[bool, typer.Option("--year", help="The whole year, not one month.")] = False,
    speed: Annotated[
        float | None, typer.Option(help="Events a second at most; as fast as possible if unset.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of all that is random.")] = 1,
) -> None:
    """Run the whole hub on real input and prove the result."""
    with errors_in_words(exit_after):
        from hub import demo

        options = demo.DemoOptions(
            exit_after=exit_after, chaos=chaos, year=year, speed=speed, seed=seed
        )
        status = demo.run(options)
    raise typer.Exit(status)
