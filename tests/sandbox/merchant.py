"""A merchant's notify address for tests: keeps what comes, answers what it is told to."""

import time
from http.server import BaseHTTPRequestHandler, HTTPServer

# As long as a browser test waits: machines have other things to do.
WAIT_SECONDS = 30

# Status, text and further headers of one answer.
Reply = tuple[int, bytes, dict[str, str]]


class Merchant:
    """Keeps the notifications that reach it; answers from a list, then always success."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[bytes | Reply] = []
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                body = self.rfile.read(length)
                answer = merchant.answers.pop(0) if merchant.answers else b"success"
                reply = (200, answer, {}) if isinstance(answer, bytes) else answer
                status, text, headers = reply
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)
                merchant.headers.append(
                    {name.lower(): value for name, value in self.headers.items()}
                )
                merchant.bodies.append(body)

            def log_message(self, *_args: object) -> None:
                """Tests are quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def wait_for_at_least(self, count: int) -> list[bytes]:
        deadline = time.monotonic() + WAIT_SECONDS
        while len(self.bodies) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.bodies) >= count
        return self.bodies

    def wait_for(self, count: int) -> list[bytes]:
        assert len(self.wait_for_at_least(count)) == count
        return self.bodies
