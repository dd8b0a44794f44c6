"""The operators' half of the console, as root lives in it: channels, codes, users and every option."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.console.conftest import Witness
from tests.console.site import ANSWER, REFUSAL, furnish, upstream
from tests.harness import servers
from tests.harness.admin import PASSWORD, Admin
from tests.harness.servers import Gateway

pytestmark = pytest.mark.timeout(300)

LIMITS = {"GLOBAL_WEB_RATE_LIMIT": "100000", "GLOBAL_API_RATE_LIMIT": "100000", "CRITICAL_RATE_LIMIT": "1000"}
INSIDE = {"USER_CONTENT_NETWORKS": "127.0.0.0/8"}  # where the provider is


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, provider: str) -> Iterator[Gateway]:
    """One for all, with something on every page; each test makes what it changes."""
    folder = tmp_path_factory.mktemp("operators")
    gateway = Gateway(folder, {**servers.sqlite(folder).env, **LIMITS, **INSIDE})
    gateway.start()
    try:
        with Admin(gateway.url) as admin:
            furnish(admin, provider)
        yield gateway
    finally:
        gateway.stop()


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with upstream() as base_url:
        yield base_url


@pytest.fixture
def root(running: Gateway) -> Iterator[Admin]:
    with Admin(running.url) as admin:
        yield admin


@pytest.fixture
def console(page: Page, running: Gateway) -> Page:
    """Root's browser, logged in."""
    page.context.request.post(f"{running.url}/api/user/login", data={"username": "root", "password": PASSWORD})
    return page


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def test_a_channel_is_added(console: Page, running: Gateway, root: Admin, provider: str) -> None:
    witness = Witness()
    witness.watch(console)
    console.goto(f"{running.url}/channel/add")
    console.get_by_role("combobox", name="Type").fill("Custom")
    console.get_by_role("option", name="Custom", exact=True).click()
    console.get_by_label("Name").fill("office")
    console.get_by_role("button", name="Remove all models").last.click()  # the type's own were filled in
    save(console)  # refused: neither address, key nor model
    expect(console.get_by_text("Choose at least one model")).to_be_visible()
    console.get_by_label("Base URL").fill(provider)
    console.get_by_label(re.compile("^Key")).fill("sk-one\nsk-revoked")
    models = console.get_by_role("combobox", name="Models")
    models.fill("tiny")
    models.press("Enter")
    console.get_by_role("button", name="Add a row").click()
    console.get_by_role("combobox", name="Asked for, row 1").fill("gpt-4")
    save(console)
    expect(console.get_by_text("Each row needs both names")).to_be_visible()
    console.get_by_label("Sent on, row 1").fill("tiny")
    save(console)
    expect(console.get_by_role("heading", name="Channels", level=1)).to_be_visible()
    found = [each for each in root.ask("GET", "/api/channel/") if each["name"] == "office"]
    assert [json.loads(each["model_mapping"]) for each in found] == [{"gpt-4": "tiny"}] * 2  # a key, a channel

    assert witness.errors == []
    assert witness.hosts == {f"127.0.0.1:{running.port}"}


def test_a_channel_is_tested_and_edited(console: Page, running: Gateway, root: Admin, provider: str) -> None:
    good = root.channel(provider, "tiny", name="office", model_mapping='{"gpt-4":"tiny"}')
    bad = root.channel(provider, "tiny", name="office", key="sk-revoked")
    console.goto(f"{running.url}/channel")
    dialog = console.get_by_role("dialog")
    for number, outcome, said in ((good, "Passed in", ANSWER), (bad, "Failed", REFUSAL)):
        line = console.get_by_role("row").filter(has_text=f"#{number} ·")
        line.get_by_role("button", name=re.compile("Test office")).click()
        expect(dialog).to_contain_text(outcome)
        expect(dialog).to_contain_text(said)
        dialog.get_by_role("button", name="Close").click()
    line = console.get_by_role("row").filter(has_text=f"#{bad} ·")
    expect(line).to_contain_text("Failed")
    line.get_by_role("button", name="Enabled: why? office").click()
    expect(dialog).to_contain_text(REFUSAL)
    console.keyboard.press("Escape")

    priority = console.get_by_role("row").filter(has_text=f"#{good} ·").get_by_label("Priority office")
    priority.fill("7")
    priority.press("Enter")
    console.get_by_role("row").filter(has_text=f"#{good} ·").get_by_role("link", name="Edit office").click()
    expect(console.get_by_role("combobox", name="Asked for, row 1")).to_have_value("gpt-4")
    expect(console.get_by_label("Priority")).to_have_value("7")
    console.get_by_label("Name").fill("office, first")
    console.get_by_role("button", name="Ask the provider").click()
    expect(console.get_by_text("listed-by-the-provider")).to_be_visible()
    console.get_by_role("button", name="Proxy, time limits").click()
    console.get_by_role("textbox", name="Headers").fill('{"x-title": ')
    save(console)
    expect(console.get_by_text("This is not a JSON object", exact=True)).to_be_visible()
    console.get_by_role("textbox", name="Headers").fill('{"x-title": "ours"}')
    save(console)
    expect(console.get_by_role("row").filter(has_text=f"#{good} ·")).to_contain_text("office, first")
    edited = root.ask("GET", f"/api/channel/{good}")
    assert (edited["priority"], json.loads(edited["parameters"])) == (7, {"headers": {"x-title": "ours"}})
    assert sorted(edited["models"].split(",")) == ["listed-by-the-provider", "tiny"]


def test_many_channels_are_filtered_tested_and_deleted(
    console: Page, running: Gateway, root: Admin, provider: str
) -> None:
    for name, status in (("batch a", 1), ("batch b", 1), ("other", 2)):
        root.channel(provider, f"model of {name}", name=name, group="crowd", status=status)
    console.goto(f"{running.url}/channel?group=crowd&status=1")
    expect(console.get_by_role("row")).to_have_count(3)
    console.get_by_label("Choose all channels shown").check()
    chosen = console.get_by_role("region", name="Chosen channels")
    chosen.get_by_role("button", name="Test").click()
    expect(console.get_by_text("All passed")).to_be_visible()
    chosen.get_by_role("button", name="Disable").click()
    expect(console.get_by_text("Nothing matches.")).to_be_visible()
    chosen.get_by_role("button", name="Delete").click()
    console.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(chosen).to_be_hidden()
    left = [each["name"] for each in root.ask("GET", "/api/channel/search") if each["group"] == "crowd"]
    assert left == ["other"]
    console.get_by_role("button", name="More actions").click()
    console.get_by_role("menuitem", name="Test disabled channels").click()
    expect(console.get_by_text(re.compile(r"\d of \d channels tested")).first).to_be_visible()


def test_codes_are_made_taken_along_and_disabled(console: Page, running: Gateway, root: Admin, tmp_path: Path) -> None:
    console.goto(f"{running.url}/redemption/add")
    console.get_by_label("Name").fill("summer")
    console.get_by_label("Quota").fill("1000000")
    expect(console.get_by_text("$2.00")).to_be_visible()
    console.get_by_label("How many").fill("3")
    console.get_by_role("button", name="Create").click()
    made = console.get_by_label("Codes", exact=True).input_value().split()
    with console.expect_download() as download:
        console.get_by_role("button", name="Save as a file").click()
    download.value.save_as(tmp_path / "codes.txt")
    assert (tmp_path / "codes.txt").read_text().split() == made
    assert download.value.suggested_filename == "summer.txt"
    console.get_by_role("button", name="To the list").click()
    codes = {each["key"]: each["id"] for each in root.ask("GET", "/api/redemption/") if each["name"] == "summer"}
    assert set(made) == set(codes)
    number = codes[made[0]]
    console.get_by_label(f"Disable summer #{number}").click(force=True)  # the input lies under the drawn switch
    expect(console.get_by_role("row", name=re.compile(f"#{number} .*Disabled"))).to_be_visible()
    root.ask("POST", "/api/user/topup", json={"key": made[1]})
    console.get_by_role("button", name="Delete used codes").click()
    console.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(console.get_by_text("1 code deleted")).to_be_visible()
    expect(console.get_by_role("row", name=re.compile("summer"))).to_have_count(2)


def test_a_user_is_added_changed_and_deleted(console: Page, running: Gateway, root: Admin) -> None:
    console.goto(f"{running.url}/user/add")
    console.get_by_label("User name").fill("carol")
    console.get_by_label(re.compile("^Password")).fill("short")
    save(console)
    expect(console.get_by_label(re.compile("^Password"))).to_have_attribute("data-invalid", "true")
    console.get_by_label(re.compile("^Password")).fill("password12")
    save(console)
    console.get_by_role("link", name="Edit carol").click()
    console.get_by_role("combobox", name="Group").click()
    console.get_by_role("option", name="vip", exact=True).click()
    console.get_by_label("Quota").fill("1500000")
    save(console)
    line = console.get_by_role("row").filter(has_text="carol")
    expect(line).to_contain_text("vip")
    expect(line).to_contain_text("$3.00")
    line.get_by_role("button", name="Top up carol").click()
    console.get_by_role("dialog").get_by_role("button", name="Top up").click()
    expect(line).to_contain_text("$4.00")
    line.get_by_role("button", name="More for carol").click()
    console.get_by_role("menuitem", name="Make administrator").click()
    console.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(line).to_contain_text("Administrator")
    line.get_by_label("Disable carol").click(force=True)
    console.get_by_role("dialog").get_by_role("button", name="Ban").click()
    expect(line).to_contain_text("Banned")
    line.get_by_role("button", name="More for carol").click()
    console.get_by_role("menuitem", name="Delete").click()
    console.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(line).to_have_count(0)
    (carol,) = root.ask("GET", "/api/user/search", params={"keyword": "carol"})
    assert (carol["quota"], carol["group"], carol["role"], carol["status"]) == (2_000_000, "vip", 10, 3)


def test_ratios_are_refused_while_invalid_and_told_apart(console: Page, running: Gateway) -> None:
    console.goto(f"{running.url}/settings/operation")
    prices = console.get_by_role("region", name="Prices")
    group = prices.get_by_role("group", name="Group ratio", exact=True)
    group.get_by_label("Group ratio: vip").fill("0.5")
    group.get_by_text("1 change").click()
    expect(group.get_by_role("row", name=re.compile("vip"))).to_contain_text("0.5")
    group.get_by_text("JSON", exact=True).click()
    group.get_by_label("Group ratio JSON").fill('{"default": "free"}')
    expect(group.get_by_role("alert")).to_be_visible()
    expect(prices.get_by_role("button", name="Save: Prices")).to_be_disabled()
    prices.get_by_role("button", name="Discard").click()
    group.get_by_text("3 rows").click()
    expect(group.get_by_label("Group ratio: vip")).to_have_value("1")


def test_endpoints_are_read_from_an_openid_provider(console: Page, running: Gateway, provider: str) -> None:
    console.goto(f"{running.url}/settings/system")
    section = console.get_by_role("region", name="OpenID Connect")
    section.get_by_label("Configuration address").fill("http://10.0.0.1/.well-known/openid-configuration")
    section.get_by_role("button", name="Read the endpoints").click()
    expect(console.get_by_text("its address is not a public one")).to_be_visible()
    section.get_by_label("Configuration address").fill(f"{provider}/.well-known/openid-configuration")
    section.get_by_role("button", name="Read the endpoints").click()
    for name in ("authorization", "token", "userinfo"):
        label = f"{name.capitalize()} endpoint"
        expect(section.get_by_label(label)).to_have_value(f"{provider}/{name}_endpoint")
    expect(section.get_by_role("status")).to_have_text("4 changes")


def test_every_setting_is_saved_and_there_again(console: Page, running: Gateway, root: Admin) -> None:
    """Each option is changed by hand in its own input, whatever it is; the gateway has it, and so has the page again.

    What needs something comes before it on the way up. The last test of this gateway: nobody could log in.
    """
    types = {each["key"]: each for each in root.ask("GET", "/api/option/types")}
    entered: dict[str, str] = {}
    particular = {"ServerAddress": running.url, "CallLimits": '[{"per": "all", "parallel": 500}]'}
    for tab in ("operation", "other", "system"):
        console.goto(f"{running.url}/settings/{tab}")
        sections = console.locator("section")
        expect(sections.first).to_be_visible()
        for number in reversed(range(sections.count())):
            section = sections.nth(number)
            keys = section.locator("[data-option]").evaluate_all(KEYS)
            for key in keys:
                entered[key] = particular.get(key) or OWN[types[key]["kind"]](types[key])
                change(section.locator(f"[data-option={key}]"), types[key], entered[key])
            section.locator("button[type=submit]").first.click()  # others follow: a test mail
            if "PasswordLoginEnabled" in keys:
                console.get_by_role("dialog").get_by_role("button", name="Save").click()
            expect(section.get_by_role("status")).to_be_hidden()  # nothing is left to be saved
    assert set(entered) == set(types)
    rows = {each["key"]: each["value"] for each in root.ask("GET", "/api/option/")}
    told = {key: value for key, value in entered.items() if not types[key]["secret"]}
    assert {key: rows[key] for key in told if types[key]["kind"] != "ratios"} == {
        key: value for key, value in told.items() if types[key]["kind"] != "ratios"
    }
    assert {key: json.loads(rows[key])["own"] for key in told if types[key]["kind"] == "ratios"} == dict.fromkeys(
        (key for key in told if types[key]["kind"] == "ratios"), 1
    )
    stored = {each["key"] for each in root.ask("GET", "/api/option/types") if each["stored"]}
    secrets = {key for key in types if types[key]["secret"]}
    assert secrets <= stored
    assert not secrets & set(rows)
    console.reload()
    expect(console.get_by_label("Mail server", exact=True)).to_have_value(entered["SMTPServer"])
    expect(console.get_by_placeholder("Stored; empty keeps it")).to_have_count(len(secrets))


KEYS = "found => found.map(each => each.dataset.option)"
OWN: dict[str, Callable[[dict[str, str]], str]] = {
    "switch": lambda each: "false" if each["default"] == "true" else "true",
    "integer": lambda each: str(int(each["default"]) + 1),
    "number": lambda each: f"{float(each['default']) + 0.5:g}",
    "list": lambda each: f"{each['default']},example.org",
    "ratios": lambda _: "own",
    "text": lambda each: "berry" if each["choices"] else f"https://example.org/{each['key']}",
}


def change(field: Locator, option: dict[str, Any], value: str) -> None:
    if option["kind"] == "switch":
        field.locator("input").press("Space")
    elif option["kind"] == "ratios":
        field.get_by_placeholder("New name").fill(value)
        field.get_by_role("button", name=re.compile("Add$")).click()
    elif option["kind"] == "list":
        field.locator("input:not([type=hidden])").fill("example.org")
        field.locator("input:not([type=hidden])").press("Enter")
    elif option["choices"]:
        field.locator("input:not([type=hidden])").click()
        field.page.get_by_role("option", name=value).click()
    else:
        field.locator("input, textarea").first.fill(value)
