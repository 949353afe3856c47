"""Fixtures of the acceptance tests."""

from collections.abc import Iterator

import pytest

from hub import testing
from hub.settings import Settings


@pytest.fixture
def own_settings() -> Iterator[Settings]:
    """Settings of a hub of the test's own."""
    with testing.own_settings() as settings:
        yield settings
