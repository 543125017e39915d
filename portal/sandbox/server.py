"""The sandbox's web server: one process, loopback only, for all simulated vendors."""

import logging
import re
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from portal.sandbox.alipay import AlipayAccount, AlipaySimulator
from portal.sandbox.cashier import Cashier
from portal.sandbox.control import Control
from portal.sandbox.keys import KeyRing
from portal.sandbox.notifier import Notifier
from portal.sandbox.simulator import Simulator
from portal.sandbox.store import STORE_NAME, Store
from portal.sandbox.unionpay import UnionPayAccount, UnionPaySimulator
from portal.sandbox.unionpay_keys import UnionPayKeys
from portal.sandbox.wechat import WeChatAccount, WeChatSimulator
from portal.sandbox.wechat_pay import WeChatPaySimulator
from portal.sandbox.wechat_pay_keys import WeChatPayKeys
from portal.sandbox.wechat_pay_signatures import WeChatPayAccount
from portal.sandbox.wire import (
    CSS,
    PAGES,
    Answer,
    Request,
    Route,
    answer_json,
    is_loopback,
)

logger = logging.getLogger(__name__)

# More than any message of the protocols spoken here.
BODY_LIMIT = 1024 * 1024
# Minutes of the vendors' retry steps become seconds.
DEFAULT_FACTOR = 1 / 60


class SandboxError(Exception):
    """The sandbox refuses to run like this."""


@dataclass(frozen=True)
class SandboxConfig:
    """Where the sandbox keeps its keys and state, and which accounts it knows."""

    folder: Path
    alipay: AlipayAccount
    unionpay: UnionPayAccount
    wechat: WeChatAccount
    wechat_pay: WeChatPayAccount
    notice_factor: float = DEFAULT_FACTOR


class SandboxServer:
    """Simulated gateways behind one address; a context manager for tests.

    Port 0 takes a free one; `url` says which.
    """

    def __init__(
        self, config: SandboxConfig, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        if not is_loopback(host):
            raise SandboxError(f"the sandbox listens on loopback only, not on {host}")
        self._keys = KeyRing(config.folder)
        self._store = Store(config.folder / STORE_NAME)
        self.notifier = Notifier(self._store, factor=config.notice_factor)
        self.alipay = AlipaySimulator(
            self._store, self._keys, self.notifier, config.alipay
        )
        self.wechat_pay = WeChatPaySimulator(
            self._store,
            WeChatPayKeys(config.folder),
            self.notifier,
            config.wechat_pay,
        )
        self.unionpay = UnionPaySimulator(
            self._store,
            UnionPayKeys(config.folder, config.unionpay.key_password),
            self.notifier,
            config.unionpay,
        )
        # Another gateway is one more attribute and one more entry here.
        simulators: list[Simulator] = [self.alipay, self.wechat_pay, self.unionpay]
        self.simulators = {each.brand.code: each for each in simulators}
        self.cashier = Cashier(self.simulators, self.notifier)
        self.wechat = WeChatSimulator(self._store, config.wechat)
        control = Control(self.simulators, self.cashier, self.wechat, self.notifier)
        routes: list[Route] = [
            ("GET", "/assets/sandbox\\.css", _show_stylesheet),
            *(route for each in self.simulators.values() for route in each.routes),
            *self.cashier.routes,
            *self.wechat.routes,
            *control.routes,
        ]
        self._routes = [
            (method, re.compile(pattern), handler)
            for method, pattern, handler in routes
        ]
        self._server = _Server((host, port), self)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self.notifier.start()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for simulator in self.simulators.values():
            simulator.released.set()
        self._server.shutdown()
        self._server.server_close()
        self.notifier.stop()
        self._store.close()

    def serve_forever(self) -> None:
        """Serve until `stop` is called from another thread or a signal handler."""
        with self:
            self._thread.join()

    def stop(self) -> None:
        """Ask `serve_forever` to return."""
        threading.Thread(target=self._server.shutdown, daemon=True).start()

    def answer(self, request: Request) -> Answer:
        """Route a request to its simulator."""
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(request.path)
            if found and method == request.method:
                return handler(request, *found.groups())
        return answer_json({"error": "not found"}, HTTPStatus.NOT_FOUND)


def _show_stylesheet(_request: Request) -> Answer:
    return Answer((PAGES / "sandbox.css").read_bytes(), CSS)


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"
    server_version = "sandbox"
    sys_version = ""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        # Addresses hold secrets and personal data: the path alone is told.
        logger.debug("%s %s", self.command, urlsplit(self.path).path)

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        # A name that resolves to loopback for another site's page is not ours.
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        if length > BODY_LIMIT or not is_loopback(host):
            self._send(answer_json({"error": "refused"}, HTTPStatus.BAD_REQUEST))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query_string=parts.query,
            headers={key.lower(): value for key, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        try:
            answer = self.server.sandbox.answer(request)
        except Exception:
            logger.exception("the sandbox failed at %s", request.path)
            answer = answer_json({"error": "failed"}, HTTPStatus.INTERNAL_SERVER_ERROR)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        try:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
        except OSError:
            logger.debug("the caller has gone")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A request that hangs on purpose must not keep the server from closing.
    block_on_close = False

    def __init__(self, address: tuple[str, int], sandbox: SandboxServer) -> None:
        super().__init__(address, _Handler)
        self.sandbox = sandbox
