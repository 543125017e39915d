"""The sandbox's JSON control address: what tests and demonstrations ask and trigger.

A page of another site could post forms to loopback, so a change demands a JSON content type,
which a browser sends across sites only after a preflight that is refused here.
"""

from http import HTTPStatus

from portal.sandbox.alipay import FAULTS, AlipaySimulator
from portal.sandbox.cashier import Cashier
from portal.sandbox.notifier import Notifier
from portal.sandbox.wechat import WeChatSimulator
from portal.sandbox.wire import Answer, Handler, Request, Route, answer_json

PREFIX = "/control"


class Control:
    def __init__(
        self,
        alipay: AlipaySimulator,
        cashier: Cashier,
        wechat: WeChatSimulator,
        notifier: Notifier,
    ) -> None:
        self._alipay = alipay
        self._cashier = cashier
        self._wechat = wechat
        self._notifier = notifier

    @property
    def routes(self) -> list[Route]:
        trade = f"{PREFIX}/alipay/trades/([0-9A-Za-z_]+)"
        return [
            ("GET", f"{PREFIX}/health", self._show_health),
            ("GET", f"{PREFIX}/notices", self._list_notices),
            ("GET", f"{PREFIX}/alipay/trades", self._list_trades),
            ("GET", trade, self._show_trade),
            ("POST", f"{trade}/actions", _guard(self._act)),
            ("POST", f"{trade}/notices", _guard(self._make_notice)),
            ("POST", f"{PREFIX}/alipay/faults", _guard(self._add_faults)),
            ("GET", f"{PREFIX}/wechat", self._show_wechat),
        ]

    def _show_health(self, _request: Request) -> Answer:
        return answer_json({"state": "ok"})

    def _list_notices(self, _request: Request) -> Answer:
        return answer_json({"notices": self._notifier.list_notices()})

    def _list_trades(self, _request: Request) -> Answer:
        return answer_json({"trades": self._alipay.trades.list_trades()})

    def _show_trade(self, _request: Request, number: str) -> Answer:
        try:
            return answer_json(self._alipay.trades.get(number))
        except KeyError:
            return answer_json({"error": "no such trade"}, HTTPStatus.NOT_FOUND)

    def _act(self, request: Request, number: str) -> Answer:
        """{"action": "pay"}: what the cashier's button does, whatever the state."""
        return answer_json(
            self._cashier.act(number, str(request.json().get("action", "")))
        )

    def _make_notice(self, request: Request, number: str) -> Answer:
        """{"forged": false, "changes": {…}}: a signed form, not sent anywhere."""
        body = request.json()
        changes = body.get("changes", {})
        if not isinstance(changes, dict):
            raise ValueError("changes is an object")
        form = self._alipay.make_notice(
            number,
            forged=body.get("forged") is True,
            **{str(key): str(value) for key, value in changes.items()},
        )
        return answer_json(form)

    def _add_faults(self, request: Request) -> Answer:
        """{"faults": ["hang", "html"]}: for the next server calls, one each."""
        faults = request.json().get("faults")
        if not isinstance(faults, list) or not set(faults) <= set(FAULTS):
            raise ValueError(f"faults is a list of {', '.join(FAULTS)}")
        self._alipay.faults[:] = faults
        return answer_json({"faults": faults})

    def _show_wechat(self, _request: Request) -> Answer:
        return answer_json(
            {"menu": self._wechat.menu, "messages": self._wechat.messages}
        )


def _guard(work: Handler) -> Handler:
    def handle(request: Request, *arguments: str) -> Answer:
        kind = request.headers.get("content-type", "").partition(";")[0].strip()
        if kind != "application/json":
            error = {"error": "send application/json"}
            return answer_json(error, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            return work(request, *arguments)
        except KeyError as error:
            return answer_json({"error": f"unknown {error}"}, HTTPStatus.NOT_FOUND)
        except ValueError as error:
            return answer_json({"error": str(error)}, HTTPStatus.BAD_REQUEST)

    return handle
