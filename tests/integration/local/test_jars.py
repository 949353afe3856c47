"""Downloads of Kafka's jars, from a small Maven repository of the test's own."""

import functools
import gc
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hub.errors import DownloadError
from hub.local import jars
from hub.settings import Settings

# jgo leaves answers it does not like unread and open; collected here, they are not ours.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

BODY = b"the contents of a jar"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address it is served at."""
    root = tmp_path / "repository"
    place = root / "org" / "example" / "cake" / "1.0"
    place.mkdir(parents=True)
    (place / "cake-1.0.jar").write_bytes(BODY)
    (place / "cake-1.0.pom").write_text(
        "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId>"
        "<artifactId>cake</artifactId><version>1.0</version></project>"
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield root, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()
    gc.collect()


@pytest.fixture
def hub(settings: Settings, mirror: tuple[Path, str], tmp_path: Path) -> Settings:
    """Settings with an empty cache and this mirror."""
    return settings.model_copy(
        update={"cache_dir": tmp_path / "cache", "mirrors": f"maven={mirror[1]}"}
    )


def pin(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    jar = jars.Jar("org.example", "cake", "1.0", hashlib.sha256(body).hexdigest())
    monkeypatch.setattr(jars, "pinned", lambda: [jar])


def test_the_second_start_needs_no_network(
    hub: Settings, mirror: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, BODY)
    seen: list[tuple[int, int, int]] = []
    jars.download(hub, lambda *progress: seen.append(progress))
    assert seen == [(1, 1, len(BODY))]
    assert Path(jars.class_path(hub)).read_bytes() == BODY
    (mirror[0] / "org" / "example" / "cake" / "1.0" / "cake-1.0.jar").unlink()
    jars.download(hub)
    assert [file.name for file in hub.cache_dir.iterdir()] == [jars.folder(hub).name]


def test_a_jar_with_another_content_is_refused(
    hub: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, b"what was pinned")
    with pytest.raises(DownloadError, match="pinned is"):
        jars.download(hub)
    assert jars.missing(hub)


def test_a_jar_nobody_has_is_told_with_what_to_do(
    hub: Settings, mirror: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, BODY)
    (mirror[0] / "org" / "example" / "cake" / "1.0" / "cake-1.0.jar").unlink()
    with pytest.raises(DownloadError, match="could not be downloaded") as caught:
        jars.download(hub)
    assert "HUB_MIRRORS" in caught.value.mend


def test_the_lock_pins_kafka_itself_and_a_logger() -> None:
    pinned = {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in jars.pinned()}
    assert {jars.KAFKA, jars.LOGGER} <= pinned
    assert all(len(jar.sha256) == 64 for jar in jars.pinned())
