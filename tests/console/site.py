"""A site that looks lived in, and the list of its pages: walked by the test of barriers, and by `make screenshots`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final, Literal

import httpx2
from playwright.sync_api import Browser, BrowserContext

from tests.harness.admin import Admin

ANSWER: Final = "Two plus two is four."
REFUSAL: Final = "This key has been revoked"

# Name of the picture, path, and the role that sees it.
PAGES: Final = (
    ("login", "/login", "nobody"),
    ("register", "/register", "nobody"),
    ("reset", "/reset", "nobody"),
    ("home", "/", "root"),
    ("about", "/about", "root"),
    ("dashboard", "/dashboard", "root"),
    ("tokens", "/token", "root"),
    ("token-add", "/token/add", "root"),
    ("token-edit", "/token/edit/1", "root"),
    ("logs", "/log", "root"),
    ("topup", "/topup", "root"),
    ("account", "/profile", "root"),
    ("not-found", "/nowhere", "root"),
    ("playground", "/playground", "root"),
    ("channels", "/channel", "root"),
    ("channel-add", "/channel/add", "root"),
    ("channel-edit", "/channel/edit/1", "root"),
    ("redemptions", "/redemption", "root"),
    ("redemption-add", "/redemption/add", "root"),
    ("redemption-edit", "/redemption/edit/1", "root"),
    ("users", "/user", "root"),
    ("user-add", "/user/add", "root"),
    ("user-edit", "/user/edit/2", "root"),
    ("settings-operation", "/settings/operation", "root"),
    ("settings-system", "/settings/system", "root"),
    ("settings-other", "/settings/other", "root"),
)


Scheme = Literal["light", "dark"]
# The console hears of another language as of what another tab chose.
SPEAK: Final = "language => dispatchEvent(new StorageEvent('storage', { key: 'one-api-language', newValue: language }))"
# Half way from one scheme to the other colours are of neither.
STILL: Final = """addEventListener('DOMContentLoaded', () => {
  const still = new CSSStyleSheet()
  still.replaceSync('*, ::before, ::after { transition: none !important; animation: none !important }')
  document.adoptedStyleSheets.push(still)
})"""
SIZES: Final = {"desk": (1360, 900), "phone": (390, 844)}


def context_of(browser: Browser, language: str, scheme: Scheme, size: str) -> BrowserContext:
    """A visitor: `en` or `zh`, and one of SIZES."""
    width, height = SIZES[size]
    return browser.new_context(
        locale="zh-CN" if language == "zh" else "en-GB",
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )


class Handler(BaseHTTPRequestHandler):
    """Answers every question alike; the key sk-revoked is refused. It is an OpenID provider too, as far as it says."""

    def do_GET(self) -> None:
        if self.path.startswith("/.well-known/"):
            issuer = f"http://{self.headers['Host']}"
            names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
            self._answer(200, {"issuer": issuer, **{name: f"{issuer}/{name}" for name in names}})
            return
        self._answer(200, {"object": "list", "data": [{"id": "listed-by-the-provider", "object": "model"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] == "Bearer sk-revoked":
            error = {"message": REFUSAL, "type": "invalid_request_error", "code": "invalid_api_key"}
            self._answer(401, {"error": error})
            return
        message = {"role": "assistant", "content": ANSWER}
        usage = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
        if asked.get("stream"):
            self._stream([{"index": 0, "delta": message, "finish_reason": "stop"}], usage)
            return
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._answer(
            200, {"id": "c", "object": "chat.completion", "model": "tiny", "choices": [choice], "usage": usage}
        )

    def _stream(self, choices: list[object], usage: object) -> None:
        chunk = {"id": "c", "object": "chat.completion.chunk", "model": "tiny"}
        events = ({**chunk, "choices": choices}, {**chunk, "choices": [], "usage": usage})
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        lines = [*(json.dumps(event) for event in events), "[DONE]"]
        self.wfile.write("".join(f"data: {line}\n\n" for line in lines).encode())

    def _answer(self, status: int, body: object) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def upstream() -> Iterator[str]:
    """Its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def furnish(root: Admin, base_url: str) -> None:
    """Channels of several types and states, users, codes, a token and calls with it."""
    root.channel(base_url, "gpt-4o,gpt-4o-mini", name="OpenAI, office", priority=10, weight=3)
    root.channel(base_url, "claude-sonnet-4", name="Anthropic", type=14, group="default,vip")
    root.channel(base_url, "qwen-max,qwen-plus", name="阿里云百炼", type=49)
    root.channel(base_url, "deepseek-chat,deepseek-reasoner", name="DeepSeek, backup", type=36, status=2)
    root.channel(base_url, "gpt-4o", name="revoked", key="sk-revoked")
    for number in (1, 5):
        root.test(number)
    root.user("alice", 2_500_000, group="vip")
    root.user("bob", 0)
    root.ask("POST", "/api/redemption/", json={"name": "spring", "quota": 500_000, "count": 3})
    key = {"Authorization": f"Bearer {root.token(name='laptop')}"}
    with httpx2.Client(base_url=root.url, headers=key, trust_env=False) as client:
        for model, stream in (("gpt-4o", True), ("gpt-4o-mini", False), ("claude-sonnet-4", True), ("qwen-max", True)):
            body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hello"}]}
            client.post("/v1/chat/completions", json=body)
