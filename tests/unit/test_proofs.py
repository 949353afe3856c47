"""`hub check` knows when the tests that prove an invariant last passed."""

from datetime import UTC, datetime
from pathlib import Path

from hub.store import proofs

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_a_proof_that_was_never_run_is_unknown(tmp_path: Path) -> None:
    assert proofs.read(tmp_path / "none.json") == {}


def test_the_last_time_a_proof_held_counts(tmp_path: Path) -> None:
    file = tmp_path / "proofs.json"
    proofs.note(["tests/a.py", "tests/b.py"], NOW, file)
    proofs.note(["tests/a.py"], LATER, file)
    assert proofs.read(file) == {"tests/a.py": LATER, "tests/b.py": NOW}


def test_a_run_that_proved_nothing_writes_nothing(tmp_path: Path) -> None:
    proofs.note([], NOW, tmp_path / "proofs.json")
    assert not (tmp_path / "proofs.json").exists()


def test_a_broken_file_is_no_proof(tmp_path: Path) -> None:
    file = tmp_path / "proofs.json"
    file.write_text("[1")
    assert proofs.read(file) == {}
