"""Log files stay bounded while a service writes to them."""

from pathlib import Path

from hub.local import logs


def test_a_full_log_is_cut_and_the_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    with log.open("ab", buffering=0) as service:
        service.write(b"x" * 101)
        logs.bound(tmp_path, bytes_max=100)
        service.write(b"next\n")
    assert log.read_bytes() == b"next\n"
    assert (tmp_path / "api.log.1").stat().st_size == 101


def test_a_log_at_its_limit_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_bytes(b"x" * 100)
    logs.bound(tmp_path, bytes_max=100)
    assert [file.name for file in tmp_path.iterdir()] == ["api.log"]


def test_only_so_many_older_pieces_are_kept(tmp_path: Path) -> None:
    for turn in range(5):
        (tmp_path / "api.log").write_bytes(f"turn {turn}".encode() * 100)
        logs.bound(tmp_path, bytes_max=100)
    older = {file.name for file in tmp_path.iterdir()} - {"api.log"}
    assert older == {f"api.log.{number}" for number in range(1, logs.OLD_FILES_MAX + 1)}
    assert (tmp_path / "api.log.1").read_bytes().startswith(b"turn 4")
