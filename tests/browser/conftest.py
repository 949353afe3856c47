"""A browser for tests of pages: Debian's Chromium, which Playwright drives.

HUB_SCREENSHOTS names a folder that gets a picture of each page that a test looked at.
"""

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong

SCREENSHOTS_VARIABLE = "HUB_SCREENSHOTS"
MISSING = "these tests look at pages in Chromium: apt-get install chromium"
PAGE_TIMEOUT_MS = 30_000
LOOK_S = 5
FILLED_S = 60
SIZES = {"wide": (1440, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def chromium() -> str:
    """The program. A hub that is started for a browser asks for it first."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip(MISSING)
    return program


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium without a window. While it is open no other event loop can run in this thread."""
    with sync_playwright() as playwright:
        # Accounts that may not make namespaces, such as root's in containers, have no sandbox.
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


class Looker:
    """Opens pages of one address, and keeps what they looked like."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        folder = os.environ.get(SCREENSHOTS_VARIABLE)
        self._folder = Path(folder) if folder else None
        page.set_default_timeout(PAGE_TIMEOUT_MS)

    def open(self, path: str) -> Page:
        """The page of this path."""
        self.page.goto(self.address + path)
        return self.page

    def sees(self, *texts: str, timeout_s: float = PAGE_TIMEOUT_MS / 1000) -> None:
        """Wait until the page shows each text, as a whole label."""
        for text in texts:
            found = self.page.get_by_text(text, exact=True).filter(visible=True).first
            try:
                found.wait_for(timeout=timeout_s * 1000)
            except TookTooLong as error:
                self.keep("missed")
                shown = self.page.locator("body").inner_text()
                raise AssertionError(f"no {text!r} on {self.page.url}:\n{shown}") from error

    def comes_to_see(self, path: str, text: str, timeout_s: float) -> Page:
        """Open the page again until it shows the text: some figures come with the next load."""
        deadline = time.monotonic() + timeout_s
        while True:
            page = self.open(path)
            try:
                self.sees(text, timeout_s=LOOK_S)
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            else:
                return page

    def fits(self, name: str) -> None:
        """Nothing is wider than the window at either size; a picture of each."""
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            loading = self.page.locator(".ant-skeleton")
            expect(loading).to_have_count(0, timeout=FILLED_S * 1000)
            self.keep(f"{name}-{size}", is_whole=True)
            # A canvas is laid out anew a moment after the window changed.
            deadline = time.monotonic() + LOOK_S
            while (wide := self._width()) > width and time.monotonic() < deadline:
                self.page.wait_for_timeout(50)
            assert wide <= width, f"{name} is {wide} wide in a window of {width}"
        self.page.set_viewport_size({"width": 1440, "height": 900})

    def _width(self) -> int:
        return self.page.evaluate("document.documentElement.scrollWidth")

    def keep(self, name: str, is_whole: bool = False) -> None:
        """A picture of the page as it is, or all of its length, if somebody wants pictures."""
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=self._folder / f"{name}.png", full_page=is_whole)
