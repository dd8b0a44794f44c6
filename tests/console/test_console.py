"""The console in a real browser, against the real gateway: from an empty database to a streamed answer."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Witness
from tests.console.upstream import FIRST, SECOND, halfway
from tests.harness import servers
from tests.harness.admin import Admin
from tests.harness.servers import Gateway

pytestmark = pytest.mark.timeout(300)

MOST_CLICKS = 12


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One for all; the first test finds it empty."""
    folder = tmp_path_factory.mktemp("console")
    gateway = Gateway(folder, servers.sqlite(folder).env)
    gateway.start()
    try:
        yield gateway
    finally:
        gateway.stop()


def log_in(page: Page, gateway: Gateway, path: str) -> None:
    page.goto(gateway.url + path)
    page.get_by_label("User name or e-mail").fill("root")
    page.get_by_label("Password", exact=True).fill("123456")
    page.get_by_label("Password", exact=True).press("Enter")


def add_token(page: Page, *, name: str) -> None:
    page.get_by_role("link", name="Tokens").first.click()
    page.get_by_role("button", name="Add token").click()
    dialog = page.get_by_role("dialog", name="Add token")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("No limit of its own").click()
    dialog.get_by_role("button", name="Save").click()
    ready = page.get_by_role("dialog", name=f"{name} is ready")
    ready.get_by_role("button", name="Close").click()
    expect(ready).to_be_hidden()


def test_a_newcomer_has_a_streamed_answer_within_twelve_clicks(running: Gateway, page: Page) -> None:
    """Whoever types only where the cursor is, and clicks everything else."""
    witness = Witness()
    witness.watch(page)
    page.add_init_script(COUNT)
    with halfway() as upstream:
        page.goto(running.url)
        page.get_by_role("main").get_by_role("link", name="Log in").click()
        name = page.get_by_label("User name or e-mail")
        expect(name).to_be_focused()
        name.fill("root")
        password = page.get_by_label("Password", exact=True)
        password.click()
        password.fill("123456")
        page.get_by_role("main").get_by_role("button", name="Log in").click()

        page.get_by_role("region", name="First steps").get_by_role("link", name="Add").click()
        expect(page.get_by_label("Name")).to_be_focused()
        page.get_by_label("Name").fill("office")
        for label, text in (("Base URL", upstream.url), ("Key", "sk-upstream")):
            field = page.get_by_label(re.compile(f"^{label}"))
            field.click()
            field.fill(text)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("row", name=re.compile("office.*Enabled"))).to_be_visible()

        page.get_by_role("link", name="Playground").first.click()
        page.get_by_role("button", name="Create a token").click()
        expect(page.get_by_role("combobox", name="Token")).to_have_value("playground")
        message = page.get_by_label("Your message")
        message.click()
        message.fill("hello")
        page.get_by_role("button", name="Send").click()
        answer = page.get_by_role("region", name="Answer")
        expect(answer).to_contain_text(FIRST)
        clicks = page.evaluate("window.clicks")
        expect(answer).not_to_contain_text(SECOND)
        upstream.go_on.set()
        expect(answer).to_contain_text(FIRST + SECOND)
        expect(answer).to_contain_text("7 + 11 tokens")
    print(f"{clicks} clicks from the first page to the first answer")
    assert 5 < clicks <= MOST_CLICKS
    assert witness.hosts == {f"127.0.0.1:{running.port}"}
    assert witness.errors == []


# The Enter that sends a form is a click of its button too, which nobody made.
COUNT = """window.clicks = 0
addEventListener('click', ({ isTrusted, detail }) => { if (isTrusted && detail > 0) window.clicks += 1 }, true)"""


def test_settings_of_a_channel_are_kept_and_changed(running: Gateway, page: Page) -> None:
    with Admin(running.url) as root:
        root.channel("http://127.0.0.1:1", "tiny", name="kept", config='{"responses":false,"kept_responses":true}')
        log_in(page, running, "/channel")
        page.get_by_role("link", name="Edit kept").click()
        responses = page.get_by_role("combobox", name="Responses API")
        expect(responses).to_have_value("No")
        responses.click()
        page.get_by_role("option", name="Nothing else").click()
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_role("heading", name="Channels", level=1)).to_be_visible()
        newest, *_ = root.ask("GET", "/api/channel/")
    assert json.loads(newest["config"]) == {"responses": "only", "kept_responses": "true"}


def test_a_token_is_disabled_and_deleted(running: Gateway, page: Page) -> None:
    log_in(page, running, "/token")
    add_token(page, name="old")
    page.get_by_label("Disable old").click(force=True)  # the input lies under the drawn switch
    expect(page.get_by_role("row", name=re.compile("old.*Disabled"))).to_be_visible()
    page.get_by_role("button", name="Copy the key of old").click()
    page.wait_for_function("async () => /^sk-[0-9A-Za-z]{48}$/.test(await navigator.clipboard.readText())")
    page.get_by_role("button", name="Delete old").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("row", name=re.compile("old"))).to_have_count(0)


def test_a_wrong_password_is_told_on_the_page(running: Gateway, page: Page) -> None:
    page.goto(running.url + "/login")
    page.get_by_label("User name or e-mail").fill("root")
    page.get_by_label("Password", exact=True).fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码错误")


def test_language_and_appearance_are_remembered(running: Gateway, page: Page) -> None:
    page.goto(running.url + "/login")
    page.get_by_role("button", name="Language").click()
    page.get_by_role("menuitem", name="中文").click()
    page.get_by_role("button", name="外观").click()
    page.get_by_role("menuitem", name="深色").click()
    page.reload()
    expect(page.get_by_role("heading", name="登录")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
