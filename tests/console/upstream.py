"""An OpenAI-like upstream that answers in two halves, the second only when the test says so."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

FIRST = "The first half, "
SECOND = "and the second: 你好"


class HalfwayServer(ThreadingHTTPServer):
    """`go_on` releases the second half."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.go_on = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: HalfwayServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.event(choices=[{"index": 0, "delta": {"role": "assistant", "content": FIRST}}])
        self.server.go_on.wait(60)
        self.event(choices=[{"index": 0, "delta": {"content": SECOND}, "finish_reason": "stop"}])
        self.event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18})
        self.wfile.write(b"data: [DONE]\n\n")

    def event(self, **chunk: object) -> None:
        full = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tiny", **chunk}
        self.wfile.write(f"data: {json.dumps(full)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def halfway() -> Iterator[HalfwayServer]:
    server = HalfwayServer()
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
