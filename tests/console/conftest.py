"""A browser that notices what a user would not: requests to other hosts, errors of scripts, barriers."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.harness.servers import NODE

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"

PATIENCE_MS = 20_000  # on a machine with much else to do

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
SHELL = [".mantine-AppShell-header", ".mantine-AppShell-navbar"]
# What passes is not listed, and no rule of ours needs the style sheets.
AUDIT = """async ({ rules, without }) => {
  const options = { runOnly: rules, resultTypes: ['violations'], preload: false, selectors: false }
  const { violations } = await axe.run({ exclude: without }, options)
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}"""


@dataclass(slots=True)
class Witness:
    hosts: set[str] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("pageerror", lambda error: self.errors.append(str(error)))


def barriers(page: Page, *, only: str | None = None, shell: bool = True) -> list[str]:
    """What axe finds on the page as it is: names, contrast, keyboard; or by one of its rules alone.

    Without the shell, what surrounds every page is left out.
    """
    # Not as a script of the page, which its policy would refuse.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    asked = {"rules": RULES if only is None else [only], "without": [] if shell else SHELL}
    found: list[str] = page.evaluate(AUDIT, asked)
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Not for the session: as long as it lives, Playwright's event loop counts as running, and async tests cannot."""
    # Playwright's own Node wants a library that small systems lack.
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(NODE)
    with sync_playwright() as playwright:
        # Chromium's sandbox does not run as root.
        found = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        expect.set_options(timeout=PATIENCE_MS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    """One for a module: what a browser does to open its first window takes it a second."""
    context = browser.new_context(
        locale="en-GB", color_scheme="light", viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(PATIENCE_MS)
    context.new_page()  # so that no page of a test is the first, or the last
    yield context
    context.close()


@pytest.fixture
def page(visitor: BrowserContext) -> Iterator[Page]:
    """A new window of somebody who was never here."""
    page = visitor.new_page()
    yield page
    page.close()
    visitor.set_storage_state({})
