"""Households as members: one account at each channel they use, with identifiers that overlap.

The set has no identifiers, so they are made up here by fixed rules: the accounts of one household
always join into one member, those of two households never do, though weak proof, blocked values and
spellings invite both mistakes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hub.demo.envelope import Fact, source
from hub.demo.source import CHANNELS, Frame, Tables

APP = "wx-demo"
BLOCKED_PHONE = "00000000000"
BLOCKED_EVERY = 11
"""So many households apart gave a till the blocked phone, as clerks do when one is required."""
BORROWED_EVERY = 7
"""So many households apart declare (unproven) the phone that the next household has proven."""
LATE_EVERY = 2
"""So many households apart open the mini-program first and prove their phone there later."""
SHARED_MAILBOX = "family@example.com"

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_DEMOGRAPHICS = ("age", "income", "household_size", "household_comp", "kids_count")


@dataclass(frozen=True)
class Household:
    """One household and, for each channel it uses, the shop where it opened its account."""

    number: int
    shops: dict[str, int]
    attributes: dict[str, str]

    @property
    def home(self) -> str:
        """The first channel it uses, in the fixed order of channels."""
        return next(channel for channel in CHANNELS if channel in self.shops)


def account(channel: str, household: int) -> str:
    """The account number of a household at a channel."""
    return f"{channel[0]}-{household:05d}"


def phone(household: int) -> str:
    """The mobile number a household proves: one of its own each."""
    return f"138{household:08d}"


def households(tables: Tables) -> list[Household]:
    """All households of the set (not only those of the window), by number."""
    visits = tables.visits.assign(channel=tables.visits["store_id"].map(tables.channel_of_store))
    first = visits.groupby(["household_id", "channel"])["store_id"].min()
    shops: dict[int, dict[str, int]] = {}
    for (number, channel), store in first.items():
        shops.setdefault(int(number), {})[str(channel)] = int(store)
    known = _attributes(tables.demographics)
    return [Household(n, shops[n], known.get(n, {})) for n in sorted(shops)]


def _attributes(demographics: Frame) -> dict[int, dict[str, str]]:
    """What is known of a household; the set knows it of 801."""
    known: dict[int, dict[str, str]] = {}
    for row in demographics.to_dict("records"):
        values = {name: row[name] for name in _DEMOGRAPHICS}
        known[int(row["household_id"])] = {
            name: str(value) for name, value in values.items() if not pd.isna(value)
        }
    return known


def member_facts(household: Household) -> Iterator[Fact]:
    """The events that make its accounts known, in the order they happen."""
    for channel in CHANNELS:
        if channel not in household.shops:
            continue
        first, later = _identifiers(household, channel)
        yield _fact("member.registered", household, channel, first)
        if later:
            yield _fact("member.identified", household, channel, later)


def _fact(kind: str, household: Household, channel: str, found: list[dict[str, Any]]) -> Fact:
    name = account(channel, household.number)
    data: dict[str, Any] = {"account": name, "identifiers": found}
    if kind == "member.registered":
        data["name"] = f"Household {household.number}"
        if household.attributes:
            data["attributes"] = household.attributes
    event_id = f"{kind}-{name}"
    return Fact(kind, event_id, source(channel, household.shops[channel]), name, data)


def _identifiers(
    household: Household, channel: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What the account shows at registration, and what it proves later."""
    if channel == "website":
        return _at_website(household), []
    if channel == "miniprogram":
        return _at_miniprogram(household)
    return _at_store(household), []


def _at_website(household: Household) -> list[dict[str, Any]]:
    number = household.number
    found = [
        _proven("email", f"Household.{number}@Example.com"),
        _proven("phone", phone(number)),
        _declared("email", SHARED_MAILBOX),
    ]
    if number % BORROWED_EVERY == 0:
        found.append(_declared("phone", phone(number + 1)))
    return found


def _at_miniprogram(household: Household) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    number = household.number
    openid = _proven("openid", f"o{number:027d}") | {"app": APP}
    digits = phone(number)
    spelled = _proven("phone", f"+86 {digits[:3]} {digits[3:7]} {digits[7:]}")
    if number % LATE_EVERY == 0:
        return [openid], [spelled]
    return [openid, spelled], []


def _at_store(household: Household) -> list[dict[str, Any]]:
    """A card, and what links it: the website's e-mail if there is one, otherwise the phone."""
    number = household.number
    found = [_proven("card", f"C{number:08d}")]
    if "website" in household.shops:
        found.append(_proven("email", f" household.{number}@example.com "))
    else:
        found.append(_proven("phone", phone(number).translate(_FULL_WIDTH)))
    if number % BLOCKED_EVERY == 0:
        found.append(_proven("phone", BLOCKED_PHONE))
    return found


def _proven(kind: str, value: str) -> dict[str, Any]:
    return {"type": kind, "value": value, "proof": "verified"}


def _declared(kind: str, value: str) -> dict[str, Any]:
    return {"type": kind, "value": value, "proof": "declared"}
