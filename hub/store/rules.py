"""Sync rules in Postgres: their versions, and facts to try them on.

A version is configuration, so it is a fact among facts: each fact runs under the version before it
in the outbox, whoever reads it and whenever. Drafts are files. What a rule makes of a fact is
`hub.rules.ruleset`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from hub.domain import configs as kinds
from hub.domain import ids, rule_versions
from hub.domain.ids import Key, derived
from hub.domain.rule_versions import KIND, RuleVersion, Status
from hub.errors import HubError, Refused
from hub.rules import analysis, checking, document, running, text
from hub.rules.analysis import Finding
from hub.rules.document import MEMBER_DUE, Rule
from hub.rules.facts import STOCK_CHANGED, Fact
from hub.rules.ruleset import Ruleset
from hub.store import approvals, commands, configs, log, outbox, segments, stock_told
from hub.store.approvals import Wish
from hub.store.configs import Draft
from hub.store.db import Connection, queries
from hub.store.records import reread
from hub.store.sealing import Vault

RULES_MAX = 2_000
FACTS_MAX = 100_000
LEDGER = "rules"
_ALL_RULES = ids.catalog_id("config", f"{KIND}/*")
"""Claimed to publish: what rules do to one another is judged on all of them."""
Position = tuple[int, int]
"""A place in the outbox: transaction and number."""


class RuleUnknown(HubError):
    """There is no rule, or no version of it, of this name."""


class Published(Struct, frozen=True):
    """A version as it was published. number counts from 1 in each rule."""

    name: str
    number: int
    status: Status
    by: str
    reason: str
    published_at: datetime
    rule: dict[str, Any]
    position: Position

    @property
    def written(self) -> str:
        """The rule as YAML, as files keep it: its parts in the order people write them."""
        return text.write(document.ordered(self.rule))


class Outcome(Struct, frozen=True):
    """What came of publishing: the approval it waits for, if any, and what else to look at."""

    approval_id: Key | None
    findings: list[Finding]


class Word(Struct, frozen=True):
    """Who publishes or pauses, and why. allowed: how addresses that rules call may begin."""

    by: str
    reason: str
    allowed: tuple[str, ...] = ()


async def publish(connection: Connection, vault: Vault, written: str, word: Word) -> Outcome:
    """Publish a rule in the caller's transaction, or ask a second person to.

    The configuration `approvals/rules` with `{"limit": 0}` demands a second person. Raises
    `RuleInvalid`, and `Refused` where rules would start one another in a circle.
    """
    rule = checking.check(written, word.allowed).rule
    await log.claim(connection, [_ALL_RULES])
    others = [document_of(one) for one in await live(connection) if one.name != rule.rule]
    if len(others) >= RULES_MAX:
        raise Refused("too_many_rules", f"at most {RULES_MAX} rules can be in force")
    findings = [one for one in analysis.analyse([*others, rule]) if rule.rule in one.rules]
    for finding in findings:
        if finding.code == "loop":
            raise Refused("rules_in_a_circle", finding.en, zh=finding.zh)
    findings += await _unheard(connection, rule)
    approval = await _put(connection, vault, document.plain(rule), "published", word)
    return Outcome(approval, findings)


async def set_status(
    connection: Connection, vault: Vault, name: str, status: Status, word: Word
) -> None:
    """Pause or archive a rule, or let it run again, as its newest version says."""
    newest = (await history(connection, name))[-1]
    if newest.status == status:
        raise Refused("rule_is_so", f"'{name}' is {status} already")
    if status == "published":
        await publish(connection, vault, newest.written, word)
        return
    await _put(connection, vault, newest.rule, status, word)


async def roll_back(
    connection: Connection, vault: Vault, name: str, number: int, word: Word
) -> None:
    """Publish what an earlier version said, as a new version."""
    for version in await history(connection, name):
        if version.number == number:
            await publish(connection, vault, version.written, word)
            return
    raise RuleUnknown(f"'{name}' has no version {number}")


async def history(connection: Connection, name: str) -> list[Published]:
    """All versions of a rule, the oldest first. Raises `RuleUnknown`."""
    found = await versions(connection, name)
    if not found:
        raise RuleUnknown(f"there is no rule '{name}'")
    return found


async def versions(connection: Connection, name: str | None = None) -> list[Published]:
    """All versions, by name, the oldest first."""
    rows = await connection.fetch(queries("rules")["versions"], name)
    return [_published(row) for row in rows]


async def live(connection: Connection, before: Position | None = None) -> list[Published]:
    """The versions that run: now, or for the fact at a place in the outbox."""
    newest: dict[str, Published] = {}
    for version in await versions(connection):
        if before is None or version.position < before:
            newest[version.name] = version
    return [version for version in newest.values() if version.status == "published"]


def ruleset(published: Sequence[Published], allowed: Sequence[str] = ()) -> Ruleset:
    """These versions, ready to run."""
    made = []
    for version in published:
        checked = checking.check_plain(version.rule, allowed)
        made.append(running.compile_rule(checked, version.number))
    return Ruleset(made)


def document_of(version: Published) -> Rule:
    """What a version says, in its shape."""
    return document.parse(version.written)[0]


class Span(Struct, frozen=True):
    """Which facts: of these types, received in this time; one event only if its id is given. over:
    a rule whose schedule is tried on its segment as it is now."""

    types: Sequence[str]
    since: datetime
    until: datetime
    event_id: str | None = None
    limit: int = FACTS_MAX
    over: Rule | None = None


async def facts(connection: Connection, vault: Vault, span: Span) -> list[tuple[Position, Fact]]:
    """Real facts with their places, in their order; erased persons' are left out. Of stock that
    changes, how each position is now comes first: how it was is not kept."""
    rows = await connection.fetch(
        queries("rules")["facts"],
        span.since,
        span.until,
        list(span.types),
        span.event_id,
        min(span.limit, FACTS_MAX),
    )
    told = await _positions(connection) if STOCK_CHANGED in span.types else []
    if span.over is not None and span.event_id is None:
        told += await _due_now(connection, span.over, span.limit)
    opened = await _opened(connection, vault, rows)
    return told + [((row["xid"], row["outbox_id"]), fact) for row, fact in opened]


async def newest_facts(
    connection: Connection, vault: Vault, span: Span
) -> list[tuple[datetime, Fact]]:
    """Real facts with when they were received, the newest first; erased persons' are left out."""
    wanted = (span.since, span.until, list(span.types), min(span.limit, FACTS_MAX))
    rows = await connection.fetch(queries("rules")["newest_facts"], *wanted)
    opened = await _opened(connection, vault, rows)
    return [(row["received_at"], fact) for row, fact in opened]


async def _opened(
    connection: Connection, vault: Vault, rows: Sequence[Any]
) -> list[tuple[Any, Fact]]:
    """The fact of each row of the log, without those of erased persons."""
    sealed = [(row["body"], row["sealed_by"], row["event_key"]) for row in rows]
    bodies = await log.open_bodies(connection, vault, sealed)
    return [
        (row, _fact(row["headers"], body))
        for row, body in zip(rows, bodies, strict=True)
        if body is not None
    ]


async def receivers(connection: Connection) -> list[str]:
    """The channels that have a subscription to what rules deliver."""
    rows = await connection.fetch(queries("rule_runs")["receivers"])
    return sorted(
        {
            row["channel"]
            for row in rows
            if any(one.startswith(("rule.", "*")) for one in row["types"])
        }
    )


async def _due_now(connection: Connection, rule: Rule, limit: int) -> list[tuple[Position, Fact]]:
    trigger, now = rule.trigger, datetime.now(UTC)
    if trigger.schedule is None:
        return []
    segment = trigger.schedule.segment
    found = await segments.members(connection, segment, now, trigger.channels, limit)
    about = {"segment": segment, "rule": rule.rule, "due_at": now.isoformat()}
    return [
        (
            (0, 0),
            Fact(
                ids.text(derived("due-now", one.profile_id)),
                "",
                MEMBER_DUE,
                one.channel,
                "",
                one.account,
                now,
                {"account": one.account, "count": one.count, "next_at": one.next_at.isoformat()}
                | about,
            ),
        )
        for one in found
    ]


async def _positions(connection: Connection) -> list[tuple[Position, Fact]]:
    rows = await connection.fetch(queries("rules")["positions"], FACTS_MAX)
    return [
        (
            (0, 0),
            Fact(
                ids.text(derived("stock-now", ids.stock_id(row["sku"], row["place"]))),
                "",
                STOCK_CHANGED,
                "",
                "",
                row["sku"],
                row["now"],
                stock_told.stock_data(row),
            ),
        )
        for row in rows
    ]


async def _unheard(connection: Connection, rule: Rule) -> list[Finding]:
    """The channels that the rule delivers to, and that nobody told the hub how to reach."""
    rows = await connection.fetch(queries("rule_runs")["receivers"])
    wanted = {one.to for one in document.actions_of(rule) if one.do in document.TOLD}
    heard = {
        row["channel"]
        for row in rows
        if not {f"rule.{rule.rule}", "rule.*", "*"}.isdisjoint(row["types"])
    }
    return [
        Finding(
            "no_receiver",
            (rule.rule,),
            f"channel '{name}' has no subscription to rule.{rule.rule} yet: until it has one,"
            " deliveries wait and then fail",
            f"渠道“{name}”尚未订阅 rule.{rule.rule}:在此之前下发会等待,最终失败",
        )
        for name in sorted(wanted - heard)
    ]


def _fact(headers: list[list[str]] | None, body: bytes) -> Fact:
    event = reread(headers, body)
    is_binary = any(name == "ce_specversion" for name, _ in headers or ())
    said = msgspec.json.decode(body)
    return Fact(
        ids.text(event.key),
        event.id,
        event.type,
        event.channel,
        event.shop,
        event.subject,
        event.occurred_at,
        said if is_binary else said["data"],
        outbox.hops_of(headers, body),
    )


async def _put(
    connection: Connection, vault: Vault, rule: dict[str, Any], status: Status, word: Word
) -> Key | None:
    said = msgspec.to_builtins(RuleVersion(status, word.by, rule))
    decision = configs.decision(Draft(KIND, rule["rule"], said, word.reason))
    if status != "published":
        # Stopping a rule must never wait for somebody.
        await commands.run(connection, vault, [decision])
        return None
    return await approvals.decide(
        connection, vault, Wish(LEDGER, 1, [decision], word.by, word.reason)
    )


def _published(row: Any) -> Published:
    said = kinds.read(rule_versions.KIND, row["document"])
    return Published(
        row["name"],
        row["version"],
        said.status,
        said.by,
        row["reason"],
        row["published_at"],
        said.rule,
        (row["xid"], row["outbox_id"]),
    )
