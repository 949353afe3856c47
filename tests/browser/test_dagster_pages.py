"""What a data engineer sees in Dagster's pages, in a hub as `hub up` starts it.

One test, since all of it is one story in one hub: each step looks at what the one before made.
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psutil
import psycopg
import pytest
from playwright.sync_api import Browser, expect

from hub import testing
from hub.demo import feed, journey, progress, source
from hub.settings import Settings, load
from hub.testing import wait_until
from tests.browser.conftest import Looker
from tests.integration.assets.receiver import Receiver, receiver

pytestmark = [pytest.mark.timeout(1200), pytest.mark.filterwarnings("ignore")]

DAY = date(2017, 3, 1)
"""A business day of the real input: some 400 orders."""
START_TIMEOUT_S = 300
RUN_TIMEOUT_S = 420
FRESHNESS_TIMEOUT_S = 240
ALERT_TIMEOUT_S = 90
FAILING = "order_total_is_the_sum_of_its_lines"
STARTED = re.compile(r"Started process for run \(pid: (\d+)\)")
STEPS = ("website", "commerce.orders.v1", "order_lines", "stg_hub__orders", "daily_sales")
"""From a channel by topic, stream table and staging to a mart; the page's own name is the end."""


@pytest.fixture(scope="module")
def alerts() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture(scope="module")
def hub(chromium: str, alerts: Receiver) -> Iterator[Settings]:
    """A running hub that has taken a day of real input; nothing is started without a browser."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    run = {testing.RUN_VARIABLE: os.environ[testing.RUN_VARIABLE]}
    settings = load(data_dir=testing.data_dir(), port_base=testing.free_port_base(), workers=1)
    with ExitStack() as stack:
        up = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "up"],
            env=given | run | settings.environment() | {"HUB_ALERT_URL": alerts.url},
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(up.communicate)
        stack.callback(up.send_signal, signal.SIGTERM)
        assert up.stdout is not None
        assert any("The hub is up" in line for line in up.stdout), "ended before it was up"
        tables = source.load(source.Window(DAY, DAY))
        asyncio.run(feed.feed(settings.brokers, journey.records(tables)))
        progress.wait_applied(settings, START_TIMEOUT_S)
        yield settings


@pytest.fixture
def pages(hub: Settings, browser: Browser) -> Iterator[Looker]:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    yield Looker(page, f"http://127.0.0.1:{hub.dagster_port}")
    page.close()


def test_the_pages_of_dagster_show_lineage_checks_alerts_and_backfills(
    pages: Looker, hub: Settings, alerts: Receiver
) -> None:
    killed = launch_refresh(pages)
    kill_the_process_of(pages, killed)
    assert not is_shown(hub)
    first = launch_refresh(pages)
    kill_the_daemon(hub)
    the_lineage_leads_from_a_channel_to_who_reads_the_mart(pages)
    wait_for_run(pages, first, "Success")
    a_mart_is_fresh_and_its_checks_pass(pages)
    before = figures(hub)
    assert before["orders"] > 0
    break_an_order_by_hand(hub)
    second = launch_refresh(pages)
    a_backfill_is_launched_and_done(pages)
    wait_for_run(pages, second, "Failure")
    the_failing_check_shows_its_rows(pages)
    readers_keep_the_last_good_mart_and_are_told_why(pages)
    assert figures(hub) == before
    each_alert_came_once(alerts)
    wait_for_run(pages, killed, "Failure")


def launch_refresh(pages: Looker) -> str:
    """Run the job by its button; the id of the run, as the pages show it."""
    page = pages.open("/locations/hub_assets/jobs/refresh_marts")
    page.get_by_role("button", name="Materialize all").click()
    page.get_by_text("Launched run").first.wait_for()
    page = pages.open("/locations/hub_assets/jobs/refresh_marts/runs")
    newest = page.locator("a[href*='/runs/']").filter(has_text=re.compile(r"^[0-9a-f]{8}$")).first
    newest.wait_for()
    return newest.get_attribute("href") or ""


def kill_the_process_of(pages: Looker, run: str) -> None:
    """With SIGKILL, once its dbt runs; that it failed is to be found out without help."""
    page = pages.open(run)
    begun = page.get_by_text(STARTED).first
    begun.wait_for(timeout=RUN_TIMEOUT_S * 1000)
    found = STARTED.search(begun.inner_text())
    assert found is not None
    process = psutil.Process(int(found[1]))
    wait_until(lambda: dbt_of(process) is not None, "dbt runs", RUN_TIMEOUT_S)
    process.kill()


def dbt_of(process: psutil.Process) -> psutil.Process | None:
    found = process.children(recursive=True)
    return next((one for one in found if one.name() == "dbt"), None)


def kill_the_daemon(hub: Settings) -> None:
    """While a run waits in its queue; schedules and sensors are to go on by themselves."""
    (daemon,) = [
        one
        for one in psutil.process_iter(["cmdline"])
        if "dagster-daemon" in " ".join(one.info["cmdline"] or [])
        and str(hub.data_dir) in " ".join(one.info["cmdline"])
    ]
    daemon.kill()


def is_shown(hub: Settings) -> bool:
    """Whether readers see any mart."""
    with psycopg.connect(hub.dsn("reader")) as connection:
        row = connection.execute("select to_regclass('marts.orders') is not null").fetchone()
    assert row is not None
    return row[0]


def wait_for_run(pages: Looker, run: str, status: str) -> None:
    page = pages.open(run)
    pages.sees(status, timeout_s=RUN_TIMEOUT_S)
    expect(page.get_by_text("Loading run logs…")).to_have_count(0)
    pages.keep(f"run-{status.lower()}")


def the_lineage_leads_from_a_channel_to_who_reads_the_mart(pages: Looker) -> None:
    board = "/assets/exposures/operations_dashboard"
    page = pages.open(f"{board}?view=lineage&lineageScope=upstream&lineageDepth=9")
    for name in STEPS:
        expect(page.locator("body")).to_contain_text(name)
    pages.keep("lineage-of-a-board")
    pages.open("/asset-groups")
    pages.sees("channels", "topics", "hub", "staging", "orders", "exposures")
    pages.keep("lineage")


def a_mart_is_fresh_and_its_checks_pass(pages: Looker) -> None:
    # The daemon was killed: freshness is evaluated once it has caught up.
    pages.comes_to_see("/assets/marts/orders", "Passing", FRESHNESS_TIMEOUT_S)
    pages.sees("Freshness policy", "Row count")
    expect(pages.page.locator("body")).to_contain_text("每行一个订单")
    pages.keep("mart")
    page = pages.open(f"/assets/marts/orders?view=checks&checkDetail={FAILING}")
    pages.sees("Passed")
    expect(page.get_by_text("No description provided")).to_have_count(0)
    expect(page.get_by_text("Failed", exact=True)).to_have_count(0)
    pages.keep("checks")


def break_an_order_by_hand(hub: Settings) -> None:
    """A total that its lines do not add up to, written past the hub."""
    with psycopg.connect(hub.dsn("admin", hub.postgres_database)) as connection:
        connection.execute(
            "update hub.orders set total_minor = total_minor + 100,"
            " gross_minor = gross_minor + 100, changed_xid = pg_current_xact_id()"
            " where order_id = (select min(order_id::text)::uuid from hub.orders)"
        )


def a_backfill_is_launched_and_done(pages: Looker) -> None:
    page = pages.open("/locations/hub_assets/jobs/close_days")
    page.get_by_role("button", name="Materialize all").click()
    first, last = (datetime.now(UTC).date() - timedelta(days=ago) for ago in (6, 4))
    days = page.get_by_role("dialog").get_by_role("textbox").first
    days.fill(f"[{first}...{last}]")
    days.press("Enter")
    pages.sees("3 partitions")
    pages.keep("backfill-asked")
    page.get_by_role("button", name="Launch backfill").click()
    pages.open("/runs?view=backfills")
    pages.sees("3 partitions")
    pages.sees("Success", timeout_s=RUN_TIMEOUT_S)
    pages.keep("backfill-done")


def the_failing_check_shows_its_rows(pages: Looker) -> None:
    page = pages.open(f"/assets/marts/orders?view=checks&checkDetail={FAILING}")
    pages.sees("failing_rows", "failing_query")
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    pages.keep("failing-check")
    page.get_by_text("[Show JSON]").click()
    expect(page.get_by_role("dialog")).to_contain_text("order_id")
    pages.keep("failing-rows")


def readers_keep_the_last_good_mart_and_are_told_why(pages: Looker) -> None:
    pages.open("/assets/marts/orders?view=checks&checkDetail=readers_see_the_last_build")
    expect(pages.page.locator("body")).to_contain_text(f"was refused: failed: {FAILING}")
    pages.keep("last-good-build")


def figures(hub: Settings) -> dict[str, Any]:
    """What a reader of the mart gets."""
    with psycopg.connect(hub.dsn("reader")) as connection:
        row = connection.execute("select count(*), sum(total_minor) from marts.orders").fetchone()
    assert row is not None
    return {"orders": row[0], "total_minor": int(row[1] or 0)}


def each_alert_came_once(alerts: Receiver) -> None:
    wanted = f"marts/orders:{FAILING}:failing"

    def ids() -> list[str]:
        return [one["webhook-id"] for one in alerts.headers]

    wait_until(lambda: any(one.startswith(wanted) for one in ids()), "an alert", ALERT_TIMEOUT_S)
    subjects = [one.rpartition(":")[0] for one in ids()]
    assert len(subjects) == len(set(subjects)), subjects
