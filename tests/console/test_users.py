"""The life of a user, and all pages he sees, in a real browser against the real gateway."""

import gzip
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from playwright.sync_api import Browser, Page, expect

from one_api.edge.web import FOLDER
from tests.console.conftest import Witness
from tests.console.upstream import FIRST, SECOND, HalfwayServer, halfway
from tests.harness import servers
from tests.harness.admin import Admin
from tests.harness.servers import Gateway

pytestmark = pytest.mark.timeout(300)

CODE = 2_000_000  # quota of the redemption code
COST = (7 + 11) * 30  # the upstream's tokens at the ratio of a model without one
MOST_SCRIPT = 300 * 1024
MOST_PAINT_MS = 1000
PROTOCOLS = (
    ("OpenAI Responses", "/v1/responses"),
    ("Anthropic Messages", "/v1/messages"),
    ("Gemini", "/v1beta/models/tiny:streamGenerateContent"),
)
DOT = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


@dataclass(frozen=True, slots=True)
class Site:
    gateway: Gateway
    root: Admin
    upstream: HalfwayServer
    codes: list[str]

    @property
    def url(self) -> str:
        return self.gateway.url


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A gateway with a channel, codes, a token and one call of root's."""
    directory = tmp_path_factory.mktemp("site")
    gateway = Gateway(directory, servers.sqlite(directory).env)
    gateway.start()
    try:
        with halfway() as upstream, Admin(gateway.url) as root:
            upstream.go_on.set()
            root.channel(upstream.url, "tiny", name="office")
            form = {"name": "gift", "quota": CODE, "count": 2}
            codes = root.ask("POST", "/api/redemption/", json=form)
            body = {"model": "tiny", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
            key = {"Authorization": f"Bearer {root.token()}"}
            with httpx2.Client(base_url=gateway.url, headers=key, trust_env=False) as client:
                assert client.post("/v1/chat/completions", json=body).status_code == 200
            yield Site(gateway, root, upstream, codes)
    finally:
        gateway.stop()


def log_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("User name or e-mail").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password", exact=True).press("Enter")


def menu(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()


def go(page: Page, path: str) -> None:
    """As a link of the console does it, without loading it again."""
    page.evaluate("path => { history.pushState({}, '', path); dispatchEvent(new PopStateEvent('popstate')) }", path)


def test_a_user_registers_pays_plays_and_sees_what_it_cost(site: Site, page: Page) -> None:
    witness = Witness()
    witness.watch(page)
    page.goto(f"{site.url}/register?aff=nobody")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password", exact=True).fill("first-password")
    page.get_by_label("Password once more").fill("first-password")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_role("heading", name="Hello, alice")).to_be_visible()

    menu(page, "Top up")
    page.get_by_label("Redemption code").fill("wrong")
    page.get_by_role("button", name="Redeem").click()
    expect(page.get_by_text("无效的兑换码")).to_be_visible()
    page.get_by_label("Redemption code").fill(site.codes[0])
    page.get_by_role("button", name="Redeem").click()
    expect(page.get_by_text("$4.00", exact=True)).to_be_visible()

    key = make_token(page)
    play(page, site)
    alice = site.root.ask("GET", "/api/user/search", params={"keyword": "alice"})[0]
    assert (alice["quota"], alice["used_quota"]) == (CODE - COST, COST)

    menu(page, "Logs")
    row = page.get_by_role("row", name=re.compile("Call.*laptop.*tiny"))
    expect(row).to_contain_text("7 → 11")
    expect(row).to_contain_text("$0.001080")
    row.get_by_role("button", name="Show details").click()
    expect(page.get_by_text("(7 + 11 × 1) × 30 × 1 → 540 units = $0.001080")).to_be_visible()
    page.get_by_label("Model").fill("no such model")
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    assert "model=no+such+model" in page.url or "model=no%20such%20model" in page.url

    change_password(page)
    assert httpx2.get(f"{site.url}/v1/models", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert witness.hosts == {f"127.0.0.1:{site.gateway.port}"}
    assert witness.errors == []


def make_token(page: Page) -> str:
    menu(page, "Tokens")
    page.get_by_role("button", name="Add token").click()
    form = page.get_by_role("dialog", name="Add token")
    form.get_by_label("Name").fill("laptop")
    form.get_by_role("button", name="1 month").click()
    form.get_by_role("button", name="Save").click()
    ready = page.get_by_role("dialog", name="laptop is ready")
    key = ready.get_by_role("region", name="Key").inner_text().strip()
    assert re.fullmatch(r"sk-[0-9A-Za-z]{48}", key)
    ready.get_by_role("tab", name="Anthropic").click()
    expect(ready.get_by_role("region", name="Anthropic")).to_contain_text(f'api_key="{key}"')
    expect(ready.get_by_role("link", name="OpenCat")).to_have_attribute("href", re.compile(f"token={key}"))
    ready.get_by_role("link", name="Try it").click()
    return key


def play(page: Page, site: Site) -> None:
    """The answer is shown while it comes, then its exact cost."""
    site.upstream.go_on.clear()
    expect(page.get_by_role("combobox", name="Token")).to_have_value("laptop")
    expect(page.get_by_role("combobox", name="Model")).to_have_value("tiny")
    page.get_by_label("Your message").fill("hello")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()
    page.get_by_label("Your message").press("Enter")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text(FIRST.strip())
    expect(answer).not_to_contain_text(SECOND)
    site.upstream.go_on.set()
    expect(answer).to_contain_text(SECOND)
    expect(answer).to_contain_text("7 + 11 tokens")
    expect(answer).to_contain_text("cost $0.001080")
    answer.get_by_role("button", name="Raw exchange").click()
    expect(answer.get_by_role("region", name="Request")).to_contain_text("POST /v1/chat/completions")
    expect(answer.get_by_role("region", name="Response")).to_contain_text("data: [DONE]")


def change_password(page: Page) -> None:
    page.get_by_role("button", name="Account of alice").click()
    page.get_by_role("menuitem", name="Your account").click()
    page.get_by_label("New password").fill("second-password")
    page.get_by_label("Password once more").fill("second-password")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_text("The password is changed")).to_be_visible()
    page.get_by_role("button", name="Account of alice").click()
    page.get_by_role("menuitem", name="Log out").click()
    log_in(page, "alice", "first-password")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码错误")
    log_in(page, "alice", "second-password")
    expect(page.get_by_role("heading", name="Hello, alice")).to_be_visible()


def test_old_links_lead_to_the_pages_of_today(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/panel/token?x=1")
    log_in(page, "root", "123456")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tokens")  # the page that was asked for
    for path, heading in (
        ("/panel", "Hello, Root User"),
        ("/panel/profile", "Your account"),
        ("/user/edit", "Your account"),
        ("/setting", "Your account"),
        ("/panel/log", "Logs"),
        ("/detail", "Dashboard"),
        ("/panel/setting", "Settings"),
        ("/no/such/page", "There is no such page."),
    ):
        go(page, path)
        expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    (token,) = site.root.tokens()
    for path, title in (("/token/add", "Add token"), (f"/token/edit/{token['id']}", "Edit token")):
        go(page, path)
        expect(page.get_by_role("dialog", name=title)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_session_that_ends_leads_to_the_login_and_back(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/login?next=/topup")
    log_in(page, "root", "123456")
    expect(page.get_by_role("heading", level=1)).to_have_text("Top up")
    page.context.clear_cookies()
    go(page, "/log?type=2")
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    log_in(page, "root", "123456")
    expect(page.get_by_role("heading", level=1)).to_have_text("Logs")
    assert page.url.endswith("/log?type=2")


def test_a_home_page_of_the_operator_runs_nothing(site: Site, page: Page) -> None:
    witness = Witness()
    witness.watch(page)
    bad = (
        '# Welcome\n\n<p onclick="parent.owned=1">Dear <b>guests</b></p>'
        '<script>parent.owned=1</script><img src="/logo.svg" onload="parent.owned=1">'
    )
    site.root.option("HomePageContent", bad)
    site.root.option("Footer", '<a href="/about">us</a><img src="/logo.svg" onload="window.owned=1">')
    try:
        page.goto(site.url)
        frame = page.frame_locator("iframe[title=Home]")
        expect(frame.get_by_role("heading", name="Welcome")).to_be_visible()
        expect(frame.locator("b")).to_have_text("guests")
        expect(page.locator("iframe[title=Home]")).to_have_attribute("sandbox", re.compile("^(?!.*allow-scripts)"))
        expect(page.locator("footer").get_by_role("link", name="us")).to_be_visible()
        assert page.evaluate("window.owned") is None
        assert frame.locator("script").count() == 0
        site.root.option("HomePageContent", f"{site.url}/logo.svg")
        page.reload()
        expect(page.locator("iframe[title=Home]")).to_have_attribute("src", f"{site.url}/logo.svg")
    finally:
        site.root.option("HomePageContent", "")
        site.root.option("Footer", "")
    assert witness.errors == []


def test_the_first_load_is_small_and_has_neither_charts_nor_markdown(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/login")
    page.get_by_label("User name or e-mail").wait_for()
    loaded = page.evaluate("performance.getEntriesByType('resource').map(each => new URL(each.name).pathname)")
    sizes = {path: len(gzip.compress((FOLDER / path[1:]).read_bytes())) for path in loaded if path.endswith(".js")}
    print(f"first load: {sum(sizes.values()) / 1024:.0f} KiB of JavaScript")
    assert 50 * 1024 < sum(sizes.values()) < MOST_SCRIPT, sizes
    assert not [path for path in sizes if re.search("/(Chart|Markdown|HtmlFrame|Sanitised)", path)]


def test_the_first_paint_comes_within_a_second_on_a_slow_processor(site: Site, browser: Browser) -> None:
    """The best of three first visits, at a quarter of this processor's speed."""
    times = []
    for _ in range(3):
        context = browser.new_context(locale="en-GB")
        page = context.new_page()
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.goto(f"{site.url}/login")
        times.append(page.evaluate(PAINTED))
        context.close()
    print(f"first contentful paint: {min(times):.0f} ms, of {', '.join(f'{each:.0f}' for each in times)}")
    assert min(times) < MOST_PAINT_MS


PAINTED = """() => new Promise((told) => new PerformanceObserver((list) => {
  for (const entry of list.getEntriesByName('first-contentful-paint')) told(entry.startTime)
}).observe({ type: 'paint', buffered: true }))"""


@pytest.mark.parametrize("protocol, path", PROTOCOLS)
def test_the_playground_speaks_every_protocol(site: Site, page: Page, protocol: str, path: str) -> None:
    page.context.add_cookies([{"name": "session", "value": site.root.session(), "url": site.url}])
    page.goto(f"{site.url}/playground")
    page.get_by_role("combobox", name="Protocol").click()
    page.get_by_role("option", name=protocol).click()
    page.locator("input[type=file]").set_input_files({"name": "dot.png", "mimeType": "image/png", "buffer": DOT})
    expect(page.get_by_role("img", name="Attached image")).to_be_visible()
    page.get_by_label("Your message").fill("hello")
    expect(page.get_by_role("button", name="Send")).to_be_enabled()  # tokens and models have come
    page.get_by_label("Your message").press("Enter")
    answer = page.get_by_role("region", name="Answer")
    expect(answer).to_contain_text(FIRST + SECOND)
    expect(answer).to_contain_text("7 + 11 tokens")
    answer.get_by_role("button", name="Raw exchange").click()
    request = answer.get_by_role("region", name="Request")
    expect(request).to_contain_text(f"POST {path}")
    expect(request).to_contain_text(b64encode(DOT).decode()[:24])  # the picture, as this protocol carries it


def test_accounts_elsewhere_are_bound_by_way_of_them(site: Site, page: Page) -> None:
    site.root.option("GitHubClientId", "our-client")
    site.root.option("GitHubClientSecret", "secret")
    site.root.option("GitHubOAuthEnabled", "true")
    try:
        page.context.add_cookies([{"name": "session", "value": site.root.session(), "url": site.url}])
        page.route("https://github.com/**", lambda route: route.fulfill(body="the provider"))
        page.goto(f"{site.url}/profile")
        page.get_by_role("button", name="Bind").last.click()
        page.wait_for_url("https://github.com/login/oauth/authorize?**")
        assert "client_id=our-client" in page.url
        assert re.search(r"state=\w{8,}", page.url)
    finally:
        site.root.option("GitHubOAuthEnabled", "false")


def test_turnstile_is_asked_who_registers(site: Site, page: Page) -> None:
    """Cloudflare's script is not ours; one that has its interface stands for it."""
    site.root.option("TurnstileSiteKey", "our-site")
    site.root.option("TurnstileSecretKey", "secret")
    site.root.option("TurnstileCheckEnabled", "true")
    try:
        page.route("https://challenges.cloudflare.com/**", lambda route: route.fulfill(body=TURNSTILE))
        page.goto(f"{site.url}/register")
        expect(page.get_by_text("asked for our-site")).to_be_visible()
        page.get_by_label("User name").fill("dave")
        page.get_by_label("Password", exact=True).fill("long-password")
        page.get_by_label("Password once more").fill("long-password")
        with page.expect_request(re.compile("/api/user/register")) as sent:
            page.get_by_role("button", name="Register").click()
        assert "turnstile=a-person" in sent.value.url
    finally:
        site.root.option("TurnstileCheckEnabled", "false")


TURNSTILE = """window.turnstile = {
  render(element, options) {
    element.textContent = `asked for ${options.sitekey}`
    options.callback('a-person')
    return '1'
  },
  remove() {},
}"""
