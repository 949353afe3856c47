"""Who decides about a ledger of a channel: the hub, unless a setting names its platform."""

import pytest

from hub.errors import SettingsError
from hub.settings import load


def test_the_hub_decides_unless_the_channel_and_ledger_are_named() -> None:
    settings = load(platform_ledgers="tmall:points, mini:points")
    assert settings.is_mastered_by_platform("tmall", "points")
    assert settings.is_mastered_by_platform("mini", "points")
    assert not settings.is_mastered_by_platform("web", "points")
    assert not load().is_mastered_by_platform("", "points")


@pytest.mark.parametrize("text", ["tmall", "tmall:stock-and-points", ":points", "tmall points"])
def test_a_pair_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="PLATFORM_LEDGERS"):
        load(platform_ledgers=text)
