"""Who signed what at WeChat Pay v3: the merchant its requests, WeChat its answers."""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from portal.sandbox.keys import is_signed, sign, stranger_key
from portal.sandbox.simulator import Sealer
from portal.sandbox.store import Document
from portal.sandbox.wechat_pay_keys import WeChatPayKeys, format_serial
from portal.sandbox.wechat_pay_trades import Refusal
from portal.sandbox.wire import Request

SCHEME = "WECHATPAY2-SHA256-RSA2048"
CLOCK_TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class WeChatPayAccount:
    """The merchant that the simulator knows, and the name of WeChat's own public key."""

    app_id: str
    merchant_id: str
    merchant_serial: str
    public_key_id: str


def _join(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


class Signer:
    """Checks the merchant's signatures and makes WeChat's."""

    def __init__(self, keys: WeChatPayKeys, account: WeChatPayAccount) -> None:
        self._keys = keys
        self._account = account

    def check_request(self, request: Request) -> None:
        """Raise `Refusal` unless the merchant signed this request within five minutes."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        given = dict(re.findall(r'(\w+)="([^"]*)"', text))
        url = request.path
        if request.query_string:
            url = f"{url}?{request.query_string}"
        lines = (
            *(request.method, url, given.get("timestamp", "")),
            *(given.get("nonce_str", ""), request.body.decode()),
        )
        key = self._keys.merchant.public_key()
        if (
            scheme != SCHEME
            or given.get("mchid") != self._account.merchant_id
            or given.get("serial_no") != self._account.merchant_serial
            or not _is_recent(given.get("timestamp", ""))
            or not is_signed(key, _join(*lines), given.get("signature", ""))
        ):
            raise Refusal(HTTPStatus.UNAUTHORIZED, "SIGN_ERROR", "签名错误")
        serial = request.headers.get("wechatpay-serial", "")
        if serial not in ("", self._account.public_key_id):
            raise Refusal(HTTPStatus.BAD_REQUEST, "PARAM_ERROR", "微信支付公钥ID有误")

    def is_bridge_signed(self, fields: Mapping[str, str]) -> bool:
        """Whether the merchant signed what a page hands to WeixinJSBridge."""
        names = ("appId", "timeStamp", "nonceStr", "package")
        lines = [fields.get(name, "") for name in names]
        return (
            fields.get("signType") == "RSA"
            and fields.get("appId") == self._account.app_id
            and is_signed(
                self._keys.merchant.public_key(),
                _join(*lines),
                fields.get("paySign", ""),
            )
        )

    def make_sealer(self, name: str) -> Sealer:
        """Return who signs bodies: WeChat by its public key (""), by its certificate
        ("certificate"), or nobody we know ("forged")."""
        return lambda body: self.seal(body, name)

    def seal(
        self, body: str, name: str = "", *, serial: str = "", at: float | None = None
    ) -> dict[str, str]:
        """Return the headers of an answer or notification; tests may give another serial
        number and time."""
        timestamp = str(int(time.time() if at is None else at))
        nonce = secrets.token_hex(16)
        key, own_serial = self._find_key(name)
        return {
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": sign(key, _join(timestamp, nonce, body)),
            "Wechatpay-Signature-Type": SCHEME,
            "Wechatpay-Serial": serial or own_serial,
        }

    def list_certificates(self) -> Document:
        """The answer that hands out WeChat's certificate, encrypted."""
        certificate = self._keys.certificate
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        entry = {
            "serial_no": format_serial(certificate),
            "effective_time": certificate.not_valid_before_utc.isoformat(),
            "expire_time": certificate.not_valid_after_utc.isoformat(),
            "encrypt_certificate": self._keys.encrypt(pem, "certificate"),
        }
        return {"data": [entry]}

    def _find_key(self, name: str) -> tuple[rsa.RSAPrivateKey, str]:
        if name == "certificate":
            return self._keys.certificate_key, format_serial(self._keys.certificate)
        key = stranger_key() if name == "forged" else self._keys.platform
        return key, self._account.public_key_id


def _is_recent(timestamp: str) -> bool:
    return (
        timestamp.isdecimal()
        and abs(time.time() - int(timestamp)) <= CLOCK_TOLERANCE_SECONDS
    )
