"""The cashier page of all simulated gateways: every way a payment can go, one button each."""

from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus

from portal.lib.money import format_yuan
from portal.sandbox.notifier import Notifier
from portal.sandbox.simulator import Phase, Simulator, Trade
from portal.sandbox.wire import (
    Answer,
    Request,
    Route,
    answer_json,
    cashier_path,
    origin_of,
    redirect,
    render,
)

# Another amount than was asked for, in fen.
WRONG_AMOUNT_FEN = 1
TRADES_SHOWN = 50

# (action, label, what it does), in the order of the page; the first is the usual one.
USUAL = [
    ("pay", "支付成功", "扣款成功，返回商户，同时发送异步通知"),
    ("later", "稍后支付", "暂不付款，直接返回商户"),
    ("fail", "支付失败", "付款不成功，可以重新付款"),
]
UNUSUAL = [
    ("repeat", "重复通知", "扣款成功，同一条通知发送三次"),
    ("notify_first", "先通知后返回", "通知送达并得到应答之后，浏览器才返回商户"),
    ("wrong_amount", "金额错误", "实付 0.01 元，通知的签名有效"),
    ("forge", "伪造签名", "没有扣款，通知由陌生密钥签名"),
]


class Cashier:
    """Shows a trade of any vendor and lets the buyer act on it."""

    def __init__(self, simulators: Mapping[str, Simulator], notifier: Notifier) -> None:
        self._simulators = simulators
        self._notifier = notifier
        self._actions: dict[str, Callable[[Simulator, str], None]] = {
            "pay": self._pay,
            "later": self._do_nothing,
            "fail": self._fail,
            "repeat": self._pay_and_repeat,
            "notify_first": self._pay_after_notice,
            "wrong_amount": self._pay_wrong_amount,
            "forge": self._forge,
        }

    @property
    def routes(self) -> list[Route]:
        pattern = "/cashier/([a-z_]+)/([0-9A-Za-z_-]+)"
        return [
            ("GET", "/", self.show_index),
            ("GET", pattern, self.show),
            ("POST", pattern, self.submit),
            ("GET", f"{pattern}/back", self.lead_back),
        ]

    def act(self, code: str, number: str, action: str) -> None:
        """Do what a button does. Raises `KeyError`."""
        work = self._actions[action]
        simulator = self._simulators[code]
        simulator.enter(number)
        work(simulator, number)

    def show_index(self, _request: Request) -> Answer:
        trades = [
            (simulator, trade)
            for simulator in self._simulators.values()
            for trade in simulator.list_trades()
        ]
        # Vendors write the same Beijing time with a space or a T, with or without its zone.
        trades.sort(
            key=lambda pair: pair[1].created_at.replace("T", " ")[:19], reverse=True
        )
        rows = "".join(_row(*pair) for pair in trades[:TRADES_SHOWN])
        empty = '<tr><td colspan="6" class="empty">还没有交易</td></tr>'
        return render("index.html", {}, markup={"rows": rows or empty})

    def show(self, request: Request, code: str, token: str) -> Answer:
        found = self._find(code, token)
        if found is None:
            return _answer_unknown()
        return _render(*found, failed=request.query.get("failed") == "1")

    def submit(self, request: Request, code: str, token: str) -> Answer:
        found = self._find(code, token)
        action = request.form.get("action", "")
        if found is None or action not in self._actions:
            return _answer_unknown()
        simulator, trade = found
        page = cashier_path(code, token)
        if trade.phase is not Phase.OPEN:
            return redirect(page)
        self.act(code, trade.number, action)
        if action == "fail":
            return redirect(f"{page}?failed=1")
        return simulator.send_back(trade.number) if trade.back_url else redirect(page)

    def lead_back(self, _request: Request, code: str, token: str) -> Answer:
        found = self._find(code, token)
        if found is None or not found[1].back_url:
            return _answer_unknown()
        simulator, trade = found
        return simulator.send_back(trade.number)

    def _find(self, code: str, token: str) -> tuple[Simulator, Trade] | None:
        simulator = self._simulators.get(code)
        trade = simulator.find_trade(token) if simulator else None
        return None if simulator is None or trade is None else (simulator, trade)

    def _do_nothing(self, _simulator: Simulator, _number: str) -> None:
        """The buyer has looked at the cashier and left."""

    def _fail(self, simulator: Simulator, number: str) -> None:
        simulator.fail(number)

    def _pay(self, simulator: Simulator, number: str) -> None:
        simulator.pay(number)
        self._notify(simulator, number)

    def _pay_and_repeat(self, simulator: Simulator, number: str) -> None:
        simulator.pay(number)
        self._notify(simulator, number, copies=3)

    def _pay_after_notice(self, simulator: Simulator, number: str) -> None:
        simulator.pay(number)
        delivery = simulator.make_delivery(number)
        if delivery.url:
            self._notifier.send_now(delivery)

    def _pay_wrong_amount(self, simulator: Simulator, number: str) -> None:
        simulator.pay(number, amount_fen=WRONG_AMOUNT_FEN)
        self._notify(simulator, number)

    def _forge(self, simulator: Simulator, number: str) -> None:
        self._notify(simulator, number, forged=True)

    def _notify(
        self,
        simulator: Simulator,
        number: str,
        *,
        copies: int = 1,
        forged: bool = False,
    ) -> None:
        """Queue one notification of the present state, the same one `copies` times."""
        delivery = simulator.make_delivery(number, forged=forged)
        for _ in range(copies if delivery.url else 0):
            self._notifier.enqueue(delivery)


def _answer_unknown() -> Answer:
    return answer_json({"error": "not found"}, HTTPStatus.NOT_FOUND)


def _render(simulator: Simulator, trade: Trade, *, failed: bool) -> Answer:
    message = ""
    if trade.phase is Phase.OPEN:
        actions = _form(USUAL, UNUSUAL)
        if failed:
            message = _message("支付失败：余额不足（模拟），请重新付款。")
    else:
        paid = trade.phase is Phase.PAID
        words = "该笔交易已支付成功。" if paid else "该笔交易已关闭，无法付款。"
        message = _message(words, good=paid)
        actions = _way_back(simulator, trade)
    # The answer to the form leads the browser back to the merchant.
    back = f" {origin_of(trade.back_url)}" if trade.back_url else ""
    return render(
        "cashier.html",
        _describe(simulator, trade),
        markup={"message": message, "actions": actions},
        form_sources=f"'self'{back}",
    )


def _describe(simulator: Simulator, trade: Trade) -> dict[str, str]:
    brand = simulator.brand
    return {
        "tone": brand.tone,
        "mark": brand.mark,
        "name": brand.name,
        "platform": brand.platform,
        "number_label": brand.number_label,
        "channel": trade.channel,
        "subject": trade.subject,
        "amount": format_yuan(trade.amount_fen),
        "payee": trade.payee,
        "number": trade.number,
        "gateway_number": trade.gateway_number,
        "expires_at": trade.expires_at or "—",
        "status": trade.status,
    }


def _way_back(simulator: Simulator, trade: Trade) -> str:
    if not trade.back_url:
        return "<p>请回到商户页面查看结果，可以关闭此页。</p>"
    url = cashier_path(simulator.brand.code, trade.token) + "/back"
    return f'<a class="button primary" href="{escape(url)}">返回商户</a>'


def _message(text: str, *, good: bool = False) -> str:
    kind = "message good" if good else "message"
    return f'<p class="{kind}" role="status">{escape(text)}</p>'


def _form(
    usual: list[tuple[str, str, str]], unusual: list[tuple[str, str, str]]
) -> str:
    def button(entry: tuple[str, str, str], kind: str = "") -> str:
        action, label, words = (escape(text) for text in entry)
        return (
            f'<li><button name="action" value="{action}" class="{kind}">'
            f"<b>{label}</b><span>{words}</span></button></li>"
        )

    first, *rest = usual
    return (
        '<form method="post"><h2>正常情形</h2><ul class="choice-list">'
        + button(first, "primary")
        + "".join(map(button, rest))
        + '</ul><h2>异常情形（检验商户系统）</h2><ul class="choice-list">'
        + "".join(map(button, unusual))
        + "</ul></form>"
    )


def _row(simulator: Simulator, trade: Trade) -> str:
    url = cashier_path(simulator.brand.code, trade.token)
    cells = (
        f'<td class="code">{escape(trade.number)}</td>'
        f"<td>{escape(simulator.brand.name)}</td>"
        f"<td>{escape(trade.subject)}</td>"
        f"<td>{format_yuan(trade.amount_fen)}</td>"
        f"<td>{escape(trade.status)}</td>"
        f'<td><a href="{escape(url)}">打开</a></td>'
    )
    return f"<tr>{cells}</tr>"
