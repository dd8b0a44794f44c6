"""Every page in every look of the console: no barrier, no error, nothing cut off.

A walk goes through all of them in one look. Language, scheme and size change where it stands, as by another tab and by
the system; of these three every two meet on every page.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.console.conftest import PATIENCE_MS, Witness, barriers
from tests.console.site import PAGES, SIZES, SPEAK, STILL, Scheme, context_of, furnish, upstream
from tests.harness import servers
from tests.harness.admin import Admin
from tests.harness.servers import Gateway

pytestmark = pytest.mark.timeout(300)


@dataclass(frozen=True, slots=True)
class View:
    size: str
    language: str
    scheme: Scheme


# In the last look a page is seen in one view, the next page in the other.
VIEWS: Final = {
    "default": (View("desk", "en", "light"), View("desk", "zh", "dark")),
    "berry": (View("phone", "zh", "light"), View("phone", "en", "dark")),
    "air": (View("desk", "zh", "light"), View("phone", "en", "dark")),
}

MORE = (
    ("reset-link", "/user/reset?email=a@b.example&token=1", "nobody"),
    ("welcome", "/", "nobody"),
    ("dashboard-all", "/dashboard?days=30&all=true&metric=tokens", "root"),
    ("chat", "/chat", "root"),
    ("callback", "/oauth/github?code=1&state=2", "root"),
)
NAMESPACES = (
    "common|app|home|about|login|account|channels|dashboard|logs|playground|profile|redemptions|settings|tokens|topup"
    "|users"
)
MISSING = re.compile(rf"\b(?:{NAMESPACES})\.[a-z]\w+(?:\.\w+)*$", re.MULTILINE)
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LIMITS = {"GLOBAL_WEB_RATE_LIMIT": "100000", "GLOBAL_API_RATE_LIMIT": "100000", "CRITICAL_RATE_LIMIT": "1000"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("pages")
    gateway = Gateway(folder, {**servers.sqlite(folder).env, **LIMITS})
    gateway.start()
    try:
        with upstream() as base_url, Admin(gateway.url) as root:
            furnish(root, base_url)
            yield gateway
    finally:
        gateway.stop()


@pytest.mark.parametrize("theme", VIEWS)
def test_no_page_has_barriers(browser: Browser, running: Gateway, theme: str) -> None:
    """What is found on one page says nothing of others, so all of it is told at once."""
    with Admin(running.url) as root:
        root.option("Theme", theme)
        session = root.session()
    walk = Walk(browser, VIEWS[theme], on_each=1 if theme == "air" else 2)
    walk.page.goto(running.url)
    expect(walk.page.locator("html")).to_have_attribute("data-theme", theme)
    for role in ("nobody", "root"):
        if role == "root":
            walk.context.add_cookies([{"name": "session", "value": session, "url": running.url}])
            walk.page.goto(running.url)
        for name, path, who in (*PAGES, *MORE):
            if who == role:
                walk.to(name, path)
    walk.context.close()
    assert walk.found == {}
    # Visitors are nobody, and the state of the callback is not ours: the browser tells of both.
    assert [text for text in walk.said if not re.search("40[13]", text)] == []
    assert walk.witness.errors == []
    assert walk.witness.hosts == {f"127.0.0.1:{running.port}"}


class Walk:
    """From page to page, each looked at in one view or two; two begin with the last of the page before."""

    def __init__(self, browser: Browser, views: tuple[View, ...], *, on_each: int) -> None:
        self.found: dict[str, list[str]] = {}
        self.said: list[str] = []
        self.witness = Witness()
        self._views, self._on_each = views, on_each
        self._audited: set[View] = set()
        self._shown = views[0]
        self.context = context_of(browser, views[0].language, views[0].scheme, views[0].size)
        self.context.add_init_script(STILL)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.on("console", self._listen)
        self.witness.watch(self.page)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.said.append(message.text)

    def to(self, name: str, path: str) -> None:
        """All rules in the first view; in the next those of colours, for nothing else is another."""
        go(self.page, path)
        for number, view in enumerate(self._views[: self._on_each]):
            self._show(view)
            faults = barriers(self.page, only="color-contrast" if number else None, shell=view not in self._audited)
            faults += MISSING.findall(self.page.locator("body").inner_text())
            if self.page.evaluate(WIDER) > 0:
                faults.append("wider than the screen")
            if faults:
                self.found[f"{name}, {view}"] = faults
            self._audited.add(view)
        self._views = self._views[::-1]

    def _show(self, view: View) -> None:
        if view == self._shown:
            return
        self._shown = view
        width, height = SIZES[view.size]
        self.page.set_viewport_size({"width": width, "height": height})
        self.page.emulate_media(color_scheme=view.scheme)
        self.page.evaluate(SPEAK, view.language)
        html = self.page.locator("html")
        expect(html).to_have_attribute("lang", view.language)
        expect(html).to_have_attribute("data-mantine-color-scheme", view.scheme)


def go(page: Page, path: str) -> None:
    """As a link of the console does it, without loading it again."""
    page.evaluate("path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)
    settle(page)


def settle(page: Page) -> None:
    """Waits until what was asked for is there, and all that it asked the gateway for.

    While its code is loaded, the page before it is still in the document, but hidden.
    """
    path = urlsplit(page.url).path
    expect(page.locator("main")).to_have_attribute("data-page", "/" if path == "/nowhere" else path)
    expect(page.locator("h1, iframe").first).to_be_visible()
    expect(page.locator("[role=status].mantine-Loader-root, .mantine-Skeleton-root")).to_have_count(0)
    if "/dashboard" in page.url:
        expect(page.locator(".recharts-surface").first).to_be_visible()
