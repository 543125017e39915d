"""The cashier page of the Alipay simulator: every way a payment can go, one button each."""

from collections.abc import Callable
from html import escape
from http import HTTPStatus

from portal.lib.money import format_yuan
from portal.sandbox.alipay import CASHIER_PATH, AlipaySimulator
from portal.sandbox.alipay_trades import PAID_STATES
from portal.sandbox.store import Document
from portal.sandbox.wire import (
    Answer,
    Request,
    Route,
    answer_json,
    origin_of,
    redirect,
    render,
)

# Another amount than was asked for, in fen.
WRONG_AMOUNT_FEN = 1

STATUS_LABELS = {
    None: "等待付款",
    "WAIT_BUYER_PAY": "等待付款",
    "TRADE_SUCCESS": "支付成功",
    "TRADE_FINISHED": "交易完成",
    "TRADE_CLOSED": "交易已关闭",
}

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
    """Shows a trade and lets the buyer act on it."""

    def __init__(self, simulator: AlipaySimulator) -> None:
        self._simulator = simulator
        self._actions: dict[str, Callable[[str], None]] = {
            "pay": self._pay,
            "later": self._do_nothing,
            "fail": self._do_nothing,
            "repeat": self._pay_and_repeat,
            "notify_first": self._pay_after_notice,
            "wrong_amount": self._pay_wrong_amount,
            "forge": self._forge,
        }

    @property
    def routes(self) -> list[Route]:
        pattern = f"{CASHIER_PATH}([0-9A-Za-z_-]+)"
        return [
            ("GET", "/", self.show_index),
            ("GET", pattern, self.show),
            ("POST", pattern, self.submit),
        ]

    def act(self, number: str, action: str) -> Document:
        """Do what a button does and return the trade. Raises `KeyError`."""
        work = self._actions[action]
        self._simulator.trades.enter(number)
        work(number)
        return self._simulator.trades.get(number)

    def show_index(self, _request: Request) -> Answer:
        trades = self._simulator.trades.list_trades()[-50:][::-1]
        rows = "".join(_row(trade) for trade in trades)
        empty = '<tr><td colspan="5" class="empty">还没有交易</td></tr>'
        return render("index.html", {}, markup={"rows": rows or empty})

    def show(self, request: Request, token: str) -> Answer:
        trade = self._simulator.trades.find_by_token(token)
        if trade is None:
            return answer_json({"error": "not found"}, HTTPStatus.NOT_FOUND)
        return self._render(trade, failed=request.query.get("failed") == "1")

    def submit(self, request: Request, token: str) -> Answer:
        trade = self._simulator.trades.find_by_token(token)
        action = request.form.get("action", "")
        if trade is None or action not in self._actions:
            return answer_json({"error": "not found"}, HTTPStatus.NOT_FOUND)
        if not _is_payable(trade):
            return redirect(f"{CASHIER_PATH}{token}")
        self.act(trade["number"], action)
        if action == "fail" or not trade["return_url"]:
            return redirect(f"{CASHIER_PATH}{token}?failed=1")
        return redirect(self._simulator.make_return_url(trade["number"]))

    def _render(self, trade: Document, *, failed: bool) -> Answer:
        message = ""
        if _is_payable(trade):
            actions = _form(USUAL, UNUSUAL)
            if failed:
                message = _message("支付失败：余额不足（模拟），请重新付款。")
        else:
            paid = trade["status"] in PAID_STATES
            words = "该笔交易已支付成功。" if paid else "该笔交易已关闭，无法付款。"
            message = _message(words, good=paid)
            url = self._simulator.make_return_url(trade["number"])
            actions = f'<a class="button primary" href="{escape(url)}">返回商户</a>'
        return render(
            "cashier.html",
            self._describe(trade),
            markup={"message": message, "actions": actions},
            form_sources=_form_sources(trade),
        )

    def _describe(self, trade: Document) -> dict[str, str]:
        closed = trade.get("expired") and trade["status"] is None
        return {
            "channel": "手机网站支付" if "wap" in trade["method"] else "电脑网站支付",
            "subject": trade["subject"],
            "amount": format_yuan(trade["amount_fen"]),
            "seller_id": self._simulator.account.seller_id,
            "number": trade["number"],
            "trade_no": trade["trade_no"],
            "expires_at": trade["expires_at"] or "—",
            "status": STATUS_LABELS["TRADE_CLOSED" if closed else trade["status"]],
        }

    def _do_nothing(self, _number: str) -> None:
        """The buyer has looked at the cashier and left."""

    def _pay(self, number: str) -> None:
        self._simulator.trades.pay(number)
        self._simulator.notify(number)

    def _pay_and_repeat(self, number: str) -> None:
        self._simulator.trades.pay(number)
        self._simulator.notify(number, copies=3)

    def _pay_after_notice(self, number: str) -> None:
        self._simulator.trades.pay(number)
        self._simulator.notify_now(number)

    def _pay_wrong_amount(self, number: str) -> None:
        self._simulator.trades.pay(number, amount_fen=WRONG_AMOUNT_FEN)
        self._simulator.notify(number)

    def _forge(self, number: str) -> None:
        self._simulator.notify(number, forged=True)


def _is_payable(trade: Document) -> bool:
    return trade["status"] in (None, "WAIT_BUYER_PAY") and not trade.get("expired")


def _form_sources(trade: Document) -> str:
    # The answer to the form leads the browser back to the merchant.
    url = trade["return_url"]
    return f"'self' {origin_of(url)}" if url else "'self'"


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


def _row(trade: Document) -> str:
    cells = (
        f'<td class="code">{escape(trade["number"])}</td>'
        f"<td>{escape(trade['subject'])}</td>"
        f"<td>{format_yuan(trade['amount_fen'])}</td>"
        f"<td>{STATUS_LABELS[trade['status']]}</td>"
        f'<td><a href="{CASHIER_PATH}{escape(trade["token"])}">打开</a></td>'
    )
    return f"<tr>{cells}</tr>"
