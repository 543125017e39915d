"""The server API of WeChat Pay v3: what the merchant's server may call, and the answers."""

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from portal.sandbox.simulator import HANG_SECONDS, Brand
from portal.sandbox.store import Document
from portal.sandbox.wechat_pay_bills import make_bill, pack, read_day
from portal.sandbox.wechat_pay_documents import describe_refund, describe_trade
from portal.sandbox.wechat_pay_signatures import Signer, WeChatPayAccount
from portal.sandbox.wechat_pay_trades import Refusal, TradeBook
from portal.sandbox.wire import (
    HTML,
    JSON,
    Answer,
    Handler,
    Request,
    Route,
    cashier_path,
)

BRAND = Brand(
    code="wechat",
    name="微信支付",
    mark="微",
    platform="微信支付 APIv3 ",
    number_label="微信支付订单号",
    tone="green",
)
H5_PATH = "/cgi-bin/mmpayweb-bin/checkmweb"

# What can go wrong with the answer to a server call; `hang` hangs after the work is done.
FAULTS = (
    *("hang", "html", "system_error", "rate_limit", "bad_signature", "bad_hash"),
    # What a refund comes to in place of success, and why none is accepted.
    *("refund_processing", "refund_closed", "refund_abnormal", "not_enough"),
)
_REFUND_ENDS = {"refund_closed": "CLOSED", "refund_abnormal": "ABNORMAL"}
_REFUSALS = {
    "system_error": (500, "SYSTEM_ERROR", "系统异常，请稍后重试"),
    "rate_limit": (429, "FREQUENCY_LIMITED", "频率超限"),
    "not_enough": (403, "NOT_ENOUGH", "余额不足"),
}


@dataclass(frozen=True)
class _Call:
    """A server call that is signed by the merchant."""

    request: Request
    fault: str

    @property
    def base(self) -> str:
        return f"http://{self.request.headers.get('host', '')}"

    def json(self) -> dict[str, Any]:
        try:
            return self.request.json()
        except ValueError as error:
            words = "请求不是合法的 JSON"
            raise Refusal(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", words) from error


class ServerApi:
    """Every call: the merchant's signature, the work, WeChat's signature.

    `end_refund(number, status)` lets a refund come to its end.
    """

    def __init__(
        self,
        trades: TradeBook,
        signer: Signer,
        account: WeChatPayAccount,
        end_refund: Callable[[str, str], None],
    ) -> None:
        self.faults: list[str] = []
        self.requests: list[tuple[str, str]] = []
        self.released = threading.Event()
        self._trades = trades
        self._signer = signer
        self._account = account
        self._end_refund = end_refund
        self._bills: dict[str, bytes] = {}

    @property
    def routes(self) -> list[Route]:
        orders = "/v3/pay/transactions"
        number = r"([0-9A-Za-z_\-|*@]+)"
        refunds = "/v3/refund/domestic/refunds"
        return [
            ("POST", f"{orders}/(native|jsapi|h5)", self._guard(self._order)),
            ("GET", f"{orders}/out-trade-no/{number}", self._guard(self._query)),
            ("POST", f"{orders}/out-trade-no/{number}/close", self._guard(self._close)),
            ("POST", refunds, self._guard(self._refund)),
            ("GET", f"{refunds}/{number}", self._guard(self._query_refund)),
            ("GET", "/v3/bill/tradebill", self._guard(self._make_bill)),
            ("GET", "/v3/billdownload/file", self._guard(self._send_bill)),
            ("GET", "/v3/certificates", self._guard(self._list_certificates)),
        ]

    def _guard(self, work: Callable[..., Document | bytes | None]) -> Handler:
        """Check the merchant's signature, do the work, sign the answer."""

        def handle(request: Request, *arguments: str) -> Answer:
            fault = self.faults.pop(0) if self.faults else ""
            status = HTTPStatus.OK
            result: Document | bytes | None
            try:
                self._signer.check_request(request)
                if fault in _REFUSALS:
                    raise Refusal(*_REFUSALS[fault])
                result = work(_Call(request, fault), *arguments)
            except Refusal as refusal:
                result, status = refusal.answer, HTTPStatus(refusal.status)
            by_certificate = not request.headers.get("wechatpay-serial")
            return self._answer(result, status, fault, by_certificate)

        return handle

    def _answer(
        self,
        result: Document | bytes | None,
        status: int,
        fault: str,
        by_certificate: bool,
    ) -> Answer:
        if fault == "hang":
            self.released.wait(HANG_SECONDS)
        if fault == "html":
            return Answer(b"<html><h1>502 Bad Gateway</h1></html>", HTML, 502)
        if isinstance(result, bytes):
            # Files are not signed: their digest came in a signed answer.
            return Answer(result, "application/x-gzip")
        text = "" if result is None else json.dumps(result, ensure_ascii=False)
        name = "certificate" if by_certificate else ""
        sealer = self._signer.make_sealer(
            "forged" if fault == "bad_signature" else name
        )
        done = HTTPStatus.NO_CONTENT if result is None else status
        return Answer(text.encode(), JSON, done, sealer(text))

    def _order(self, call: _Call, kind: str) -> Document:
        body = call.json()
        self.requests.append((f"order {kind}", str(body.get("out_trade_no", ""))))
        self._check_account(body)
        trade = self._trades.open_trade(kind, body)
        with self._trades.edit(trade["number"]) as row:
            row["by_certificate"] = self._wants_certificate(call)
        if kind == "jsapi":
            return {"prepay_id": trade["prepay_id"]}
        if kind == "native":
            path = cashier_path(BRAND.code, trade["token"])
            return {"code_url": f"{call.base}{path}"}
        query = urlencode({"prepay_id": trade["prepay_id"], "package": "1"})
        return {"h5_url": f"{call.base}{H5_PATH}?{query}"}

    def _query(self, call: _Call, number: str) -> Document:
        self.requests.append(("query", number))
        if call.request.query.get("mchid") != self._account.merchant_id:
            raise Refusal(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "商户号有误")
        return describe_trade(self._find(number), self._account)

    def _close(self, call: _Call, number: str) -> None:
        self.requests.append(("close", number))
        if call.json().get("mchid") != self._account.merchant_id:
            raise Refusal(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "商户号有误")
        self._find(number)
        self._trades.close(number)

    def _refund(self, call: _Call) -> Document:
        body = call.json()
        number = str(body.get("out_refund_no", ""))
        self.requests.append(("refund", number))
        if "?" in str(body.get("notify_url", "")):
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "notify_url 不能携带参数"
            )
        refund = self._trades.open_refund(body, "PROCESSING")
        answer = describe_refund(self._trades.get(refund["trade"]), refund)
        if call.fault != "refund_processing" and refund["status"] == "PROCESSING":
            self._end_refund(number, _REFUND_ENDS.get(call.fault, "SUCCESS"))
        return answer

    def _query_refund(self, _call: _Call, number: str) -> Document:
        self.requests.append(("query refund", number))
        try:
            refund = self._trades.get_refund(number)
        except KeyError as error:
            words = "退款单不存在"
            raise Refusal(HTTPStatus.NOT_FOUND, "RESOURCE_NOT_EXISTS", words) from error
        return describe_refund(self._trades.get(refund["trade"]), refund)

    def _make_bill(self, call: _Call) -> Document:
        query = call.request.query
        self.requests.append(("bill", query.get("bill_date", "")))
        if query.get("bill_type") != "ALL" or query.get("tar_type") != "GZIP":
            raise Refusal(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "账单类型有误")
        bill = make_bill(
            self._trades.list_trades(),
            read_day(query.get("bill_date", "")),
            app_id=self._account.app_id,
            merchant_id=self._account.merchant_id,
        )
        if not bill:
            words = "账单文件不存在"
            raise Refusal(HTTPStatus.BAD_REQUEST, "NO_STATEMENT_EXIST", words)
        packed, digest = pack(bill)
        token = secrets.token_urlsafe(16)
        self._bills[token] = packed
        url = f"{call.base}/v3/billdownload/file?{urlencode({'token': token})}"
        if call.fault == "bad_hash":
            digest = "0" * 40
        return {"hash_type": "SHA1", "hash_value": digest, "download_url": url}

    def _send_bill(self, call: _Call) -> bytes:
        packed = self._bills.pop(call.request.query.get("token", ""), None)
        if packed is None:
            words = "文件不存在"
            raise Refusal(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", words)
        return packed

    def _list_certificates(self, _call: _Call) -> Document:
        self.requests.append(("certificates", ""))
        return self._signer.list_certificates()

    def _find(self, number: str) -> Document:
        try:
            return self._trades.get(number)
        except KeyError as error:
            words = "订单不存在"
            raise Refusal(HTTPStatus.NOT_FOUND, "ORDER_NOT_EXIST", words) from error

    def _check_account(self, body: Mapping[str, Any]) -> None:
        given = (body.get("appid"), body.get("mchid"))
        if given != (self._account.app_id, self._account.merchant_id):
            words = "商户号与appid不匹配"
            raise Refusal(HTTPStatus.BAD_REQUEST, "APPID_MCHID_NOT_MATCH", words)

    @staticmethod
    def _wants_certificate(call: _Call) -> bool:
        return not call.request.headers.get("wechatpay-serial")
