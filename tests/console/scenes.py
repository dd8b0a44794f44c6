"""What the console shows on the way: dialogs, menus, answers. Each is a path and what is done there, in English."""

import re
from collections.abc import Callable
from typing import Final

from playwright.sync_api import Page


def press(page: Page, name: str, *, role: str = "button") -> None:
    """The first control that is seen and so named."""
    found = page.get_by_role("menuitem" if role == "menuitem" else "button", name=name)
    found.locator("visible=true").first.click()


def ask(page: Page, model: str) -> None:
    if not page.get_by_role("combobox", name="Model").is_visible():
        press(page, "laptop")  # a phone has the settings folded
    page.get_by_role("combobox", name="Model").fill(model)
    page.get_by_role("combobox", name="Model").press("Tab")
    page.get_by_label("Your message").fill("What is two plus two?")
    press(page, "Send")
    page.get_by_role("region", name="Answer").get_by_text(re.compile("tokens|refused|revoked|Error")).first.wait_for()


def menu(page: Page, opener: str, item: str) -> None:
    press(page, opener)
    press(page, item, role="menuitem")


def pressed(*names: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        for name in names:
            press(page, name)

    return act


def first_log(page: Page) -> None:
    """A row has a button for it; on a phone the card is one."""
    page.locator("main tr button[aria-expanded], main .mantine-Card-root > button[aria-expanded]").first.click()


def test_of_a_channel(page: Page) -> None:
    press(page, "Test OpenAI, office")
    page.get_by_role("dialog").get_by_text("Passed in").wait_for()


def refused_test(page: Page) -> None:
    press(page, "Test revoked")
    page.get_by_role("dialog").get_by_text("Failed").wait_for()


def chosen(page: Page) -> None:
    for box in page.get_by_role("checkbox", name=re.compile("^Choose (?!all)")).all()[:2]:
        box.check(force=True)


def bulk_delete(page: Page) -> None:
    chosen(page)
    page.get_by_role("region", name="Chosen channels").get_by_role("button", name="Delete").click()


def mapping(page: Page) -> None:
    press(page, "Add a row")
    press(page, "Add a row")
    page.get_by_role("combobox", name="Asked for, row 1").fill("gpt-4-turbo-preview-with-a-long-name")
    page.get_by_label("Sent on, row 1").fill("gpt-4o-mini")
    page.get_by_role("combobox", name="Asked for, row 2").fill("gpt-4")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Each row needs both names").wait_for()


def ratio_changes(page: Page) -> None:
    prices = page.get_by_role("region", name="Prices")
    group = prices.get_by_role("group", name="Group ratio", exact=True)
    group.get_by_label("Group ratio: vip").fill("0.5")
    group.get_by_text("1 change").click()


def ratio_fault(page: Page) -> None:
    group = page.get_by_role("region", name="Prices").get_by_role("group", name="Group ratio", exact=True)
    group.get_by_text("JSON", exact=True).click()
    group.get_by_label("Group ratio JSON").fill('{"default": "free"}')


def locked_out(page: Page) -> None:
    page.locator("[data-option=PasswordLoginEnabled] input").press("Space")
    section = page.locator("section").filter(has=page.locator("[data-option=PasswordLoginEnabled]"))
    section.locator("button[type=submit]").first.click()


def answer(page: Page) -> None:
    ask(page, "gpt-4o")
    press(page, "Raw exchange")


SCENES: Final[tuple[tuple[str, str, Callable[[Page], None]], ...]] = (
    ("channel-test", "/channel", test_of_a_channel),
    ("channel-test-failed", "/channel", refused_test),
    ("channel-test-all", "/channel", lambda page: menu(page, "More actions", "Test all channels")),
    ("channel-more", "/channel", pressed("More actions")),
    ("channel-confirm-disabled", "/channel", lambda page: menu(page, "More actions", "Delete disabled channels")),
    ("channel-confirm", "/channel", pressed("Delete revoked")),
    ("channel-cause", "/channel", pressed("why? revoked")),
    ("channel-chosen", "/channel", chosen),
    ("channel-confirm-chosen", "/channel", bulk_delete),
    ("channel-mapping", "/channel/edit/1", mapping),
    ("channel-parameters", "/channel/edit/1", pressed("Proxy, time limits")),
    ("token-use", "/token", pressed("Use laptop")),
    ("token-reveal", "/token", pressed("Show or hide the key of laptop")),
    ("token-confirm", "/token", pressed("Delete laptop")),
    ("user-topup", "/user", pressed("Top up alice")),
    ("user-more", "/user", pressed("More for alice")),
    ("user-promote", "/user", lambda page: menu(page, "More for alice", "Make administrator")),
    ("user-delete", "/user", lambda page: menu(page, "More for alice", "Delete")),
    ("redemption-confirm", "/redemption", pressed("Delete used codes")),
    ("log-details", "/log?type=2", first_log),
    ("settings-changes", "/settings/operation", ratio_changes),
    ("settings-fault", "/settings/operation", ratio_fault),
    ("settings-lockout", "/settings/system", locked_out),
    ("account-menu", "/", pressed("Account of Root User")),
    ("playground-answer", "/playground", answer),
    ("playground-error", "/playground", lambda page: ask(page, "revoked-model")),
)
