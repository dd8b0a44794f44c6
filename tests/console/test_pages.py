"""Every page, in both languages and colour schemes, on a desk and on a phone: no barrier, no error, nothing cut off.

A page is loaded once for a size; languages and schemes change where it stands, as by another tab and by the system.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.console.conftest import PATIENCE_MS, Witness, barriers
from tests.console.site import PAGES, SIZES, context_of, furnish, upstream
from tests.harness import servers
from tests.harness.admin import Admin
from tests.harness.servers import Gateway

pytestmark = pytest.mark.timeout(300)

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


@pytest.mark.parametrize("size, theme", [("desk", "default"), ("phone", "berry")])
def test_no_page_has_barriers(browser: Browser, running: Gateway, size: str, theme: str) -> None:
    """What is found on one page says nothing of others, so all of it is told at once."""
    witness, said = Witness(), list[str]()
    with Admin(running.url) as root:
        root.option("Theme", theme)
        session = root.session()
    context = context_of(browser, "en", "light", size)
    context.add_init_script(STILL)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    witness.watch(page)
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.goto(running.url)
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    found: dict[str, list[str]] = {}
    for role in ("nobody", "root"):
        if role == "root":
            context.add_cookies([{"name": "session", "value": session, "url": running.url}])
            page.goto(running.url)
        for name, path, who in (*PAGES, *MORE):
            if who == role:
                go(page, path)
                found |= {f"{name}, {place}": faults for place, faults in look(page).items() if faults}
    context.close()
    assert found == {}
    # Visitors are nobody, and the state of the callback is not ours: the browser tells of both.
    assert [text for text in said if not re.search("40[13]", text)] == []
    assert witness.errors == []
    assert witness.hosts == {f"127.0.0.1:{running.port}"}


@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_barriers_in_the_compact_look(browser: Browser, running: Gateway, size: str) -> None:
    with Admin(running.url) as root:
        root.option("Theme", "air")
        session = root.session()
    context = context_of(browser, "en", "dark", size)
    context.add_cookies([{"name": "session", "value": session, "url": running.url}])
    page = context.new_page()
    found = {}
    for path in ("/", "/channel", "/log", "/settings/system"):
        page.goto(running.url + path)
        settle(page)
        found[path] = [*barriers(page), *(["wider than the screen"] if page.evaluate(WIDER) > 0 else [])]
    context.close()
    assert {path: faults for path, faults in found.items() if faults} == {}


def go(page: Page, path: str) -> None:
    """As a link of the console does it, without loading it again."""
    page.evaluate("path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)
    settle(page)


def settle(page: Page) -> None:
    path = urlsplit(page.url).path
    expect(page.locator("main")).to_have_attribute("data-page", re.compile(rf"{re.escape(path)}(\?|$)"))
    expect(page.locator("h1, iframe").first).to_be_attached()
    expect(page.locator("[role=status].mantine-Loader-root, .mantine-Skeleton-root")).to_have_count(0)
    if "/dashboard" in page.url:
        expect(page.locator(".recharts-surface").first).to_be_visible()


def look(page: Page) -> dict[str, list[str]]:
    """All rules once, and those of colours and widths again wherever these are different."""
    found = {}
    for language, scheme in (("en", "light"), ("en", "dark"), ("zh", "dark"), ("zh", "light")):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.evaluate(SPEAK, language)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        faults = barriers(page) if (language, scheme) == ("en", "light") else barriers(page, only="color-contrast")
        faults += MISSING.findall(page.locator("body").inner_text())
        if page.evaluate(WIDER) > 0:
            faults.append("wider than the screen")
        found[f"{language} {scheme}"] = faults
    page.emulate_media(color_scheme="light")
    page.evaluate(SPEAK, "en")
    return found


# Half way from one scheme to the other colours are of neither.
STILL = """addEventListener('DOMContentLoaded', () => {
  const still = new CSSStyleSheet()
  still.replaceSync('*, ::before, ::after { transition: none !important; animation: none !important }')
  document.adoptedStyleSheets.push(still)
})"""

# The console hears of it as of what another tab chose.
SPEAK = """language => dispatchEvent(new StorageEvent('storage', { key: 'one-api-language', newValue: language }))"""
