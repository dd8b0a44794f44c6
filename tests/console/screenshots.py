"""Pictures of every page of the console, in both languages and colour schemes, on a desk and on a phone.

usage: python -m tests.console.screenshots FOLDER [WORD]; only pages whose name has WORD in it. `make screenshots` calls it.
"""

import os
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, sync_playwright

from tests.console.site import PAGES, furnish, upstream
from tests.harness import servers
from tests.harness.admin import PASSWORD, Admin
from tests.harness.servers import NODE, Gateway

SIZES: Final = {"desk": (1360, 900), "phone": (390, 844)}
Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")


def main(folder: Path, word: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(NODE)
    chromium = servers.sbin("chromium")
    with tempfile.TemporaryDirectory() as scratch, upstream() as base_url, sync_playwright() as playwright:
        gateway = Gateway(Path(scratch), {**servers.sqlite(Path(scratch)).env, "GLOBAL_WEB_RATE_LIMIT": "100000",
                                          "GLOBAL_API_RATE_LIMIT": "100000"})
        gateway.start()
        try:
            with Admin(gateway.url) as root:
                furnish(root, base_url)
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            for language, scheme, size in product(("en", "zh"), SCHEMES, SIZES):
                shoot(browser, gateway.url, folder, language, scheme, size, word)
            browser.close()
        finally:
            gateway.stop()


def shoot(browser: Browser, url: str, folder: Path, language: str, scheme: Scheme, size: str, word: str) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        locale="zh-CN" if language == "zh" else "en-GB",
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    page = context.new_page()
    role = "nobody"
    for name, path, who in PAGES:
        if who != role:
            answer = context.request.post(f"{url}/api/user/login", data={"username": who, "password": PASSWORD})
            assert answer.json()["success"], answer.text()
            role = who
        if word in name:
            page.goto(url + path, wait_until="networkidle")
            page.screenshot(path=folder / f"{name}-{language}-{scheme}-{size}.png", full_page=True)
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:3])
