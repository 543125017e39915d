"""Signed calls to UnionPay's gateway, each answer proved before it is believed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import requests

from orders.payments.protocol import GatewayUnavailable
from orders.payments.unionpay_keys import MerchantKey, Trust, UntrustedError
from orders.payments.unionpay_wire import SIGN_METHOD, VERSION, parse_answer

FRONT_PATH = "/gateway/api/frontTransReq.do"
BACK_PATH = "/gateway/api/backTransReq.do"
QUERY_PATH = "/gateway/api/queryTrans.do"

_CONNECT_SECONDS = 5
_ANSWER_LIMIT = 64 * 1024


@dataclass(frozen=True)
class UnionPayClient:
    """One merchant at one gateway. `clock` tells the time that messages are checked at."""

    merchant_id: str
    key: MerchantKey
    trust: Trust
    url: str
    file_url: str
    timeout_seconds: float
    clock: Callable[[], datetime]

    def sign(self, fields: Mapping[str, str]) -> dict[str, str]:
        """Return a complete signed request."""
        common = {
            "version": VERSION,
            "encoding": "UTF-8",
            "signMethod": SIGN_METHOD,
            "accessType": "0",
            "merId": self.merchant_id,
        }
        return self.key.sign({**common, **fields})

    def check(self, fields: Mapping[str, str]) -> None:
        """Raise `UntrustedError` unless UnionPay says this, and to us."""
        self.trust.check(fields, now=self.clock())
        if fields.get("merId") != self.merchant_id:
            raise UntrustedError("merId is not ours")

    def call(self, path: str, fields: Mapping[str, str]) -> dict[str, str]:
        """Return the proved answer of the gateway. Raises `GatewayUnavailable`."""
        return self._post(self.url + path, fields, _ANSWER_LIMIT)

    def fetch_file(self, fields: Mapping[str, str], limit: int) -> dict[str, str]:
        """Return the proved answer of the file server. Raises `GatewayUnavailable`."""
        return self._post(self.file_url, fields, limit)

    def _post(self, url: str, fields: Mapping[str, str], limit: int) -> dict[str, str]:
        try:
            with requests.post(
                url,
                data=self.sign(fields),
                timeout=(_CONNECT_SECONDS, self.timeout_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                if response.status_code != requests.codes.ok:
                    raise GatewayUnavailable(f"HTTP {response.status_code}")
                answer = parse_answer(_read(response, limit).decode())
            self.check(answer)
        except (requests.RequestException, ValueError, UntrustedError) as error:
            raise GatewayUnavailable(
                f"{type(error).__name__}: {error}"[:200]
            ) from error
        return answer


def _read(response: requests.Response, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(16 * 1024):
        size += len(part)
        if size > limit:
            raise ValueError("the answer is too large")
        parts.append(part)
    return b"".join(parts)
