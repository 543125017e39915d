"""The sandbox's JSON control address: what tests and demonstrations ask and trigger.

A page of another site could post forms to loopback, so a change demands a JSON content type,
which a browser sends across sites only after a preflight that is refused here.
"""

from collections.abc import Mapping
from http import HTTPStatus

from portal.sandbox.cashier import Cashier
from portal.sandbox.notifier import Notifier
from portal.sandbox.simulator import Simulator
from portal.sandbox.wechat import WeChatSimulator
from portal.sandbox.wire import Answer, Handler, Request, Route, answer_json

PREFIX = "/control"


class Control:
    """`/control/<gateway>/trades…` for every simulated gateway, notices, faults."""

    def __init__(
        self,
        simulators: Mapping[str, Simulator],
        cashier: Cashier,
        wechat: WeChatSimulator,
        notifier: Notifier,
    ) -> None:
        self._simulators = simulators
        self._cashier = cashier
        self._wechat = wechat
        self._notifier = notifier

    @property
    def routes(self) -> list[Route]:
        codes = "|".join(self._simulators)
        gateway = f"{PREFIX}/({codes})"
        trade = f"{gateway}/trades/([0-9A-Za-z_]+)"
        return [
            ("GET", f"{PREFIX}/health", self._show_health),
            ("GET", f"{PREFIX}/notices", self._list_notices),
            ("GET", f"{gateway}/trades", self._list_trades),
            ("GET", trade, self._show_trade),
            ("POST", f"{trade}/actions", _guard(self._act)),
            ("POST", f"{trade}/notices", _guard(self._make_notice)),
            ("POST", f"{gateway}/faults", _guard(self._add_faults)),
            ("GET", f"{PREFIX}/wechat", self._show_wechat),
        ]

    def _show_health(self, _request: Request) -> Answer:
        return answer_json({"state": "ok"})

    def _list_notices(self, _request: Request) -> Answer:
        return answer_json({"notices": self._notifier.list_notices()})

    def _list_trades(self, _request: Request, code: str) -> Answer:
        simulator = self._simulators[code]
        trades = [simulator.show(trade.number) for trade in simulator.list_trades()]
        return answer_json({"trades": trades})

    def _show_trade(self, _request: Request, code: str, number: str) -> Answer:
        try:
            return answer_json(self._simulators[code].show(number))
        except KeyError:
            return answer_json({"error": "no such trade"}, HTTPStatus.NOT_FOUND)

    def _act(self, request: Request, code: str, number: str) -> Answer:
        """{"action": "pay"}: what the cashier's button does, whatever the state."""
        self._cashier.act(code, number, str(request.json().get("action", "")))
        return answer_json(self._simulators[code].show(number))

    def _make_notice(self, request: Request, code: str, number: str) -> Answer:
        """{"forged": false, "changes": {…}}: headers and body, not sent anywhere."""
        body = request.json()
        changes = body.get("changes", {})
        if not isinstance(changes, dict):
            raise ValueError("changes is an object")
        delivery = self._simulators[code].make_delivery(
            number, forged=body.get("forged") is True, changes=changes
        )
        headers = self._notifier.seal(delivery)
        return answer_json({"headers": headers, "body": delivery.body})

    def _add_faults(self, request: Request, code: str) -> Answer:
        """{"faults": ["hang", "html"]}: for the next server calls, one each."""
        simulator = self._simulators[code]
        faults = request.json().get("faults")
        known = simulator.fault_names
        if not isinstance(faults, list) or not set(faults) <= set(known):
            raise ValueError(f"faults is a list of {', '.join(known)}")
        simulator.faults[:] = faults
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
