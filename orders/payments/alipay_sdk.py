"""python-alipay-sdk with what it gets wrong put right, in key mode and certificate mode."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from alipay import AliPay, DCAliPay
from alipay.utils import AliPayConfig
from OpenSSL.crypto import Error as CertificateError

# Alipay's clock, whatever TIME_ZONE the portal runs under.
ALIPAY_ZONE = ZoneInfo("Asia/Shanghai")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


class _Corrections:
    """What the SDK gets wrong, mixed in before its key-mode and certificate-mode clients."""

    def build_body(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # The SDK stamps the machine's naive local time.
        body: dict[str, Any] = super().build_body(*args, **kwargs)  # type: ignore[misc]
        body["timestamp"] = datetime.now(ALIPAY_ZONE).strftime(TIME_FORMAT)
        return body

    def _get_string_to_be_signed(self, raw_string: str, response_type: str) -> str:
        # The SDK counts braces, those inside a text value too; let the JSON reader find
        # the end of the object instead.
        start = raw_string.index("{", raw_string.index(f'"{response_type}"'))
        _, end = json.JSONDecoder().raw_decode(raw_string, start)
        return raw_string[start:end]


class _KeyClient(_Corrections, AliPay):  # type: ignore[misc]
    """Key mode: a bare RSA public key of Alipay's."""


class _CertificateClient(_Corrections, DCAliPay):  # type: ignore[misc]
    """Certificate mode: three certificates, their serial numbers in every request."""


def armour(key: str, label: str) -> str:
    """Return `key` as PEM; Alipay's console hands keys out as bare base64.

    `label` is what stands after BEGIN, such as `PRIVATE KEY`.
    """
    text = key.strip()
    if text.startswith("-----"):
        return text
    body = "".join(text.split())
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])


def _read(path: str, label: str) -> str:
    return armour(Path(path).read_text(), label)


def build_sdk(config: Mapping[str, Any]) -> AliPay:
    """Return the SDK's client for `config`: certificate mode when it names a root.

    Files: `app_private_key_file` and, in key mode, `alipay_public_key_file`; in certificate
    mode `app_certificate_file`, `alipay_certificate_file`, `alipay_root_file`. Raises
    `OSError` and `ValueError` for what cannot be read.
    """
    private_key = _read(config["app_private_key_file"], "PRIVATE KEY")
    timeout = AliPayConfig(timeout=config["timeout_seconds"])
    if config.get("alipay_root_file"):
        return _build_certificate_client(config, private_key, timeout)
    return _KeyClient(
        appid=config["app_id"],
        app_private_key_string=private_key,
        alipay_public_key_string=_read(config["alipay_public_key_file"], "PUBLIC KEY"),
        sign_type="RSA2",
        config=timeout,
    )


def _build_certificate_client(
    config: Mapping[str, Any], private_key: str, timeout: AliPayConfig
) -> AliPay:
    try:
        client = _CertificateClient(
            appid=config["app_id"],
            app_private_key_string=private_key,
            app_public_key_cert_string=_read(
                config["app_certificate_file"], "CERTIFICATE"
            ),
            alipay_public_key_cert_string=_read(
                config["alipay_certificate_file"], "CERTIFICATE"
            ),
            alipay_root_cert_string=_read(config["alipay_root_file"], "CERTIFICATE"),
            sign_type="RSA2",
        )
        # Both are computed when they are first asked for, which would be a buyer's request.
        numbers = [client.app_cert_sn, client.alipay_root_cert_sn]
    except CertificateError as error:
        raise ValueError("a certificate cannot be read") from error
    # Of a root file without any certificate the SDK makes nothing, and says nothing.
    if not all(numbers):
        raise ValueError("a certificate file holds no certificate")
    # Its constructor knows no `config`.
    client._config = timeout
    return client
