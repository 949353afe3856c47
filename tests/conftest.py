"""Fixtures for all tests; what they stand on is in `hub.testing`.

A test's folder is its marker. Servers start when the first test asks, once a run.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub import testing
from hub.domain.topics import Topic
from hub.local import kafka
from hub.settings import Settings
from hub.store import check, proofs

MARKED_FOLDERS = ("unit", "integration", "acceptance", "consistency", "browser")
_run = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """The process that leads the run (not an xdist worker) owns its servers."""
    if "PYTEST_XDIST_WORKER" not in os.environ and not config.option.collectonly:
        _run.enter_context(testing.test_run())


def pytest_unconfigure() -> None:
    """Every server of the run ends here; if we are killed, the guardian sees to it."""
    _run.close()


_outcomes: dict[str, set[str]] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """What became of the tests of each file; the process that leads the run hears of all."""
    if report.when == "call" or report.outcome != "passed":
        _outcomes.setdefault(report.nodeid.partition("::")[0], set()).add(report.outcome)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Note which proofs of invariants have held in this run."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    proved = {one.proved_by for one in check.INVARIANTS if one.proof == "test"}
    passed = [
        path
        for path in proved
        if (found := [seen for file, seen in _outcomes.items() if file.startswith(path)])
        and all(seen == {"passed"} for seen in found)
    ]
    proofs.note(passed, datetime.now(UTC))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the folder it lies in."""
    root = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(root).parts[0]
        if folder in MARKED_FOLDERS:
            item.add_marker(folder)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a hub that isn't running, in an empty folder, untouched by the environment."""
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        if name != testing.RUN_VARIABLE:
            monkeypatch.delenv(name)
    return Settings(data_dir=tmp_path / "hub")


@pytest.fixture
def data_dir() -> Path:
    """An empty folder for a hub with a Postgres of its own, whose account may pass through."""
    return testing.data_dir()


@pytest.fixture
def database() -> Iterator[testing.Database]:
    """A fresh database with the hub's tables, on the run's Postgres."""
    with testing.database() as fresh:
        yield fresh


@pytest.fixture(scope="session")
def broker() -> Settings:
    """The run's Kafka: `broker.brokers` is where producers and consumers connect."""
    return testing.shared_kafka()


@dataclass
class Topics:
    """Topics of one test: their names begin with a prefix nobody else uses."""

    brokers: Settings
    prefix: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:8]}.")

    def name(self, topic: str) -> str:
        """The test's own name for a topic."""
        return self.prefix + topic

    def create(self, topic: Topic) -> str:
        """Make the test's own copy of a topic; gives its name."""
        own = replace(topic, name=self.name(topic.name))
        with ThreadPoolExecutor(1) as thread:  # an async test has a loop of its own running
            thread.submit(kafka.ensure_topics, self.brokers, [own]).result()
        return own.name


@pytest.fixture
def topics(broker: Settings) -> Topics:
    """`topics.create(Topic("orders", "order number", partitions=2))` makes one and names it."""
    return Topics(broker)


@pytest.fixture
def free_port() -> Callable[[], int]:
    """Gives a TCP port nobody uses."""
    return testing.free_port
