"""UnionPay's ACP gateway on loopback: requests checked, answers and notifications signed.

Facts: the vendor's SDK and pages as collected in docs/payments.md. Written apart from the
portal's own client, so that each checks the other.
"""

import base64
import binascii
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from portal.sandbox.notifier import Notifier
from portal.sandbox.simulator import HANG_SECONDS, Brand, Delivery, Phase, Trade
from portal.sandbox.store import Document, Store
from portal.sandbox.unionpay_files import make_file
from portal.sandbox.unionpay_keys import UnionPayKeys
from portal.sandbox.unionpay_messages import (
    describe_message,
    describe_money,
    digest,
    pack,
    sign,
    stranger,
    write_time,
)
from portal.sandbox.unionpay_trades import (
    MESSAGES,
    PAID,
    PAYMENT,
    REFUND,
    REFUND_KIND,
    Refusal,
    TradeBook,
    is_over,
)
from portal.sandbox.wire import (
    HTML,
    Answer,
    Request,
    Route,
    cashier_path,
    origin_of,
    redirect,
    render,
)

FRONT_PATH = "/gateway/api/frontTransReq.do"
BACK_PATH = "/gateway/api/backTransReq.do"
QUERY_PATH = "/gateway/api/queryTrans.do"
FILE_PATH = "/unionpay/file"

BRAND = Brand(
    code="unionpay",
    name="中国银联",
    mark="银",
    platform="银联全渠道平台",
    number_label="银联查询流水号",
    tone="teal",
)
CHANNELS = {"07": "电脑网关支付", "08": "手机网页支付"}

# What can go wrong with the answer to a server call. `hang` hangs after the work is done,
# `in_doubt` calls the state of what was asked for unknown; both have done the work.
FAULTS = ("hang", "html", "system_error", "bad_signature", "in_doubt")

# Fields that come back as they were sent.
ECHOED = (
    "accessType",
    "bizType",
    "encoding",
    "merId",
    "orderId",
    "origQryId",
    "signMethod",
    "txnAmt",
    "txnSubType",
    "txnTime",
    "txnType",
    "version",
)


@dataclass(frozen=True)
class UnionPayAccount:
    """The merchant that the simulator knows, and the password of its key file."""

    merchant_id: str
    key_password: str


class UnionPaySimulator:
    """The gateway's endpoints, its orders and what it tells the merchant about them."""

    brand = BRAND
    fault_names: tuple[str, ...] = FAULTS

    def __init__(
        self,
        store: Store,
        keys: UnionPayKeys,
        notifier: Notifier,
        account: UnionPayAccount,
    ) -> None:
        self.account = account
        self.trades = TradeBook(store)
        self.faults: list[str] = []
        # (path, orderId) of every server call so far.
        self.requests: list[tuple[str, str]] = []
        self.released = threading.Event()
        self._keys = keys
        self._notifier = notifier

    @property
    def routes(self) -> list[Route]:
        calls: dict[str, Callable[[dict[str, str]], dict[str, str]]] = {
            BACK_PATH: self._refund,
            QUERY_PATH: self._query,
            FILE_PATH: self._send_file,
        }

        def serve(path: str) -> Route:
            return (
                "POST",
                re.escape(path),
                lambda request: self._serve(request, path, calls[path]),
            )

        return [("POST", re.escape(FRONT_PATH), self.serve_front), *map(serve, calls)]

    # --- Calls -------------------------------------------------------------------------

    def serve_front(self, request: Request) -> Answer:
        """The buyer's browser brings an order."""
        fields = request.form
        try:
            self._check_request(fields, PAYMENT)
            trade = self.trades.open_trade(fields)
        except Refusal as refusal:
            words = MESSAGES[refusal.code]
            answer = {
                "sub_code": refusal.code,
                "sub_msg": words,
                "code": fields.get("orderId", "")[:40],
                "msg": "",
            }
            return render("error.html", answer, status=HTTPStatus.BAD_REQUEST)
        return redirect(cashier_path(BRAND.code, trade["token"]))

    def _serve(
        self,
        request: Request,
        path: str,
        work: Callable[[dict[str, str]], dict[str, str]],
    ) -> Answer:
        fields = request.form
        fault = self.faults.pop(0) if self.faults else ""
        answer = {name: fields[name] for name in ECHOED if name in fields}
        self.requests.append((path, fields.get("orderId", "")))
        try:
            self._check_request(fields)
            if fault == "system_error":
                raise Refusal("06")
            result = work(fields)
        except Refusal as refusal:
            result = {"respCode": refusal.code}
        if fault == "in_doubt":
            name = "origRespCode" if "origRespCode" in result else "respCode"
            result[name] = "05"
        if fault == "hang":
            self.released.wait(HANG_SECONDS)
        if fault == "html":
            return Answer(b"<html><h1>502 Bad Gateway</h1></html>", HTML, 502)
        result["respMsg"] = f"{MESSAGES[result['respCode']]}[0000000]"
        identity = stranger() if fault == "bad_signature" else self._keys.signer
        message = sign({**answer, **result}, identity)
        # Not URL-encoded, the certificate with its line ends.
        text = "&".join(f"{name}={value}" for name, value in message.items())
        return Answer(text.encode(), HTML)

    def _check_request(self, fields: Mapping[str, str], kind: str = "") -> None:
        merchant = self._keys.merchant
        key = merchant.public_key()
        if not isinstance(key, rsa.RSAPublicKey):
            raise TypeError("the merchant's key is not RSA")
        try:
            raw = base64.b64decode(fields.get("signature", ""), validate=True)
            key.verify(raw, digest(fields), padding.PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, binascii.Error, ValueError) as error:
            raise Refusal("11") from error
        expected = {
            "certId": str(merchant.serial_number),
            "version": "5.1.0",
            "signMethod": "01",
            "merId": self.account.merchant_id,
            "accessType": "0",
        }
        if any(fields.get(name) != value for name, value in expected.items()):
            raise Refusal("10")
        if kind and fields.get("txnType") != kind:
            raise Refusal("10")

    def _query(self, fields: dict[str, str]) -> dict[str, str]:
        found = self.trades.find(fields)
        if found is None:
            raise Refusal("34")
        kind, document = found
        return {
            "respCode": "00",
            "origRespCode": document["code"],
            "origRespMsg": f"{MESSAGES[document['code']]}[0000000]",
            **describe_money(
                self.account.merchant_id, document, is_refund=kind == REFUND_KIND
            ),
        }

    def _refund(self, fields: dict[str, str]) -> dict[str, str]:
        if fields.get("txnType") != REFUND:
            raise Refusal("10")
        refund = self.trades.add_refund(fields)
        if refund["back_url"]:
            self._notifier.enqueue(self.make_refund_delivery(refund["number"]))
        return {"respCode": "00", "queryId": refund["query_id"]}

    def _send_file(self, fields: dict[str, str]) -> dict[str, str]:
        paid = [trade for trade in self.trades.list_trades() if trade["code"] in PAID]
        entries = [*paid, *self.trades.list_refunds()]
        found = make_file(
            entries, self.account.merchant_id, fields.get("settleDate", "")
        )
        if found is None:
            raise Refusal("98")
        return {"respCode": "00", "fileName": found[0], "fileContent": found[1]}

    # --- Messages ----------------------------------------------------------------------

    def make_notice(
        self, number: str, *, forged: bool = False, **changes: str
    ) -> dict[str, str]:
        """Return the signed form of a notification about an order.

        `changes` replace fields before signing; a forged one comes with the certificate of
        somebody who only has the right name.
        """
        trade = self.trades.get(number)
        notice = describe_message(
            self.account.merchant_id, trade, PAYMENT, "01", trade["code"] or "00"
        )
        identity = stranger() if forged else self._keys.signer
        return sign({**notice, **changes}, identity)

    def make_refund_delivery(self, number: str, **changes: str) -> Delivery:
        refund = self.trades.get_refund(number)
        notice = describe_message(
            self.account.merchant_id, refund, REFUND, "00", refund["code"]
        )
        notice["origQryId"] = refund["payment_query_id"]
        return pack(refund["back_url"], sign({**notice, **changes}, self._keys.signer))

    # --- What all simulators offer -----------------------------------------------------

    def list_trades(self) -> list[Trade]:
        return [self._describe(trade) for trade in self.trades.list_trades()]

    def find_trade(self, token: str) -> Trade | None:
        trade = self.trades.find_by_token(token)
        return None if trade is None else self._describe(trade)

    def get_trade(self, number: str) -> Trade:
        return self._describe(self.trades.get(number))

    def show(self, number: str) -> Document:
        return self.trades.get(number)

    def enter(self, number: str) -> None:
        """Nothing is known of an order before the buyer pays."""
        self.trades.get(number)

    def pay(self, number: str, *, amount_fen: int | None = None) -> None:
        self.trades.pay(number, amount_fen=amount_fen)

    def fail(self, number: str) -> None:
        self.trades.fail(number)

    def make_delivery(
        self,
        number: str,
        *,
        forged: bool = False,
        changes: Mapping[str, object] | None = None,
    ) -> Delivery:
        texts = {key: str(value) for key, value in (changes or {}).items()}
        notice = self.make_notice(number, forged=forged, **texts)
        return pack(self.trades.get(number)["back_url"], notice)

    def send_back(self, number: str) -> Answer:
        """A page whose button posts the result to the merchant, from this site to that one."""
        trade = self.trades.get(number)
        code = trade["code"] or "05"
        message = sign(
            describe_message(self.account.merchant_id, trade, PAYMENT, "01", code),
            self._keys.signer,
        )
        inputs = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in message.items()
        )
        url = trade["front_url"]
        return render(
            "unionpay_return.html",
            {"action": url, "result": MESSAGES[code], "number": number},
            markup={"inputs": inputs},
            form_sources=origin_of(url),
        )

    def _describe(self, trade: Document) -> Trade:
        if trade["code"] in PAID:
            phase, status = Phase.PAID, "支付成功"
        elif is_over(trade):
            phase, status = Phase.CLOSED, "已超过支付时间"
        else:
            phase, status = Phase.OPEN, "等待付款"
        return Trade(
            number=trade["number"],
            token=trade["token"],
            subject="网关支付订单",
            amount_fen=trade["amount_fen"],
            phase=phase,
            status=status,
            channel=CHANNELS.get(str(trade["channel"]), ""),
            payee=self.account.merchant_id,
            gateway_number=trade["query_id"],
            created_at=write_time(trade["txn_time"]),
            expires_at=write_time(trade["expires_at"]),
            back_url=trade["front_url"],
        )
