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


def add_channel(page: Page, *, name: str, base_url: str, model: str) -> None:
    page.get_by_role("link", name="Channels").first.click()
    page.get_by_role("link", name="Add channel").click()
    page.get_by_role("combobox", name="Type").click()
    page.get_by_role("option", name="OpenAI compatible").click()
    page.get_by_role("button", name="Remove all models").last.click()  # the type's own were filled in
    page.get_by_label("Name").fill(name)
    page.get_by_label("Base URL").fill(base_url)
    page.get_by_label(re.compile("^Key")).fill("sk-upstream")
    page.get_by_role("combobox", name="Models").fill(model)
    page.get_by_role("combobox", name="Models").press("Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Channels", level=1)).to_be_visible()


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


def test_from_the_first_login_to_a_streamed_answer(running: Gateway, page: Page) -> None:
    witness = Witness()
    witness.watch(page)
    with halfway() as upstream:
        log_in(page, running, "/channel")
        expect(page.get_by_role("heading", name="Channels")).to_be_visible()  # the page that was asked for
        add_channel(page, name="office", base_url=upstream.url, model="tiny")
        expect(page.get_by_role("row", name=re.compile("office.*Enabled"))).to_be_visible()
        add_token(page, name="laptop")
        row = page.get_by_role("row", name=re.compile("laptop.*Enabled.*no limit"))
        expect(row).to_be_visible()
        row.get_by_role("button", name="Copy the key of laptop").click()
        assert re.fullmatch(r"sk-[0-9A-Za-z]{48}", page.evaluate("navigator.clipboard.readText()"))

        page.get_by_role("link", name="Playground").first.click()
        page.get_by_role("combobox", name="Token").click()
        page.get_by_role("option", name="laptop").click()
        page.get_by_role("combobox", name="Model").fill("tiny")
        page.get_by_label("Your message").fill("hello")
        expect(page.get_by_role("button", name="Send")).to_be_enabled()
        page.get_by_label("Your message").press("Control+Enter")
        answer = page.get_by_role("region", name="Answer")
        expect(answer).to_contain_text(FIRST)
        expect(answer).not_to_contain_text(SECOND)
        upstream.go_on.set()
        expect(answer).to_contain_text(FIRST + SECOND)
        expect(answer).to_contain_text("7 + 11 tokens")
    assert witness.hosts == {f"127.0.0.1:{running.port}"}
    assert witness.errors == []


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
