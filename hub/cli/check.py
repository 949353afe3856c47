"""`hub check`: the invariants of `hub.store.check`, counted on the hub's data."""

import typer

from hub import settings
from hub.cli.screen import Json, errors_in_words, note, put_json, say


def run(as_json: Json = False) -> None:
    """Count what breaks each invariant; status 1 if anything does. Last line: JSON."""
    with errors_in_words(as_json):
        from hub.store import check

        findings = check.run(settings.load(), note)
    if not as_json:
        for finding in findings:
            mark = "ok" if finding.violations == 0 else f"{finding.violations} violations"
            say(f"{finding.name:48} {finding.label:16} {finding.checked_at:%H:%M:%S}  {mark}")
    violations = sum(finding.violations for finding in findings)
    put_json(
        {
            "invariants": {finding.name: finding.violations for finding in findings},
            "labels": {finding.name: finding.label for finding in findings},
            "violations": violations,
        }
    )
    raise typer.Exit(0 if violations == 0 else 1)
