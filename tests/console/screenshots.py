"""Pictures of every page and dialog of the console, in both languages and colour schemes, on a desk and on a phone.

usage: python -m tests.console.screenshots FOLDER [WORD], for pages with WORD in their names.
"""

import os
import shutil
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Error, sync_playwright

from tests.console.scenes import SCENES
from tests.console.site import PAGES, SIZES, SPEAK, STILL, Scheme, context_of, furnish, upstream
from tests.harness import servers
from tests.harness.admin import PASSWORD, Admin
from tests.harness.servers import NODE, Gateway

SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")


def main(folder: Path, word: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(NODE)
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as scratch, upstream() as base_url, sync_playwright() as playwright:
        limits = {"GLOBAL_WEB_RATE_LIMIT": "100000", "GLOBAL_API_RATE_LIMIT": "100000", "CRITICAL_RATE_LIMIT": "1000"}
        gateway = Gateway(Path(scratch), {**servers.sqlite(Path(scratch)).env, **limits})
        gateway.start()
        try:
            with Admin(gateway.url) as root:
                furnish(root, base_url)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for language, scheme, size in product(("en", "zh"), SCHEMES, SIZES):
                shoot(browser, gateway.url, folder, language, scheme, size, word)
            for size in SIZES:
                play(browser, gateway.url, folder, size, word)
            browser.close()
        finally:
            gateway.stop()


def shoot(browser: Browser, url: str, folder: Path, language: str, scheme: Scheme, size: str, word: str) -> None:
    context = context_of(browser, language, scheme, size)
    page = context.new_page()
    role = "nobody"
    for name, path, who in PAGES:
        if who != role:
            answer = context.request.post(f"{url}/api/user/login", data={"username": who, "password": PASSWORD})
            assert answer.json()["success"], answer.text()
            role = who
        if word in name:
            page.goto(url + path)
            page.get_by_role("heading", level=1).wait_for()
            page.wait_for_load_state("networkidle")
            page.screenshot(path=folder / f"{name}-{language}-{scheme}-{size}.png", full_page=True)
    context.close()


def play(browser: Browser, url: str, folder: Path, size: str, word: str) -> None:
    """Each scene is played once; languages and schemes change where it stands."""
    context = context_of(browser, "en", "light", size)
    context.set_default_timeout(20_000)
    context.add_init_script(STILL)
    context.request.post(f"{url}/api/user/login", data={"username": "root", "password": PASSWORD})
    for name, path, act in SCENES:
        if word not in name:
            continue
        page = context.new_page()
        page.goto(url + path)
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_load_state("networkidle")
        try:
            act(page)
        except Error as error:
            print(f"{name}, {size}: {error.message.splitlines()[0]}", file=sys.stderr)
        for language, scheme in product(("en", "zh"), SCHEMES):
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SPEAK, language)
            page.locator(f"html[lang={language}][data-mantine-color-scheme={scheme}]").wait_for()
            page.screenshot(path=folder / f"{name}-{language}-{scheme}-{size}.png")
        page.close()
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
