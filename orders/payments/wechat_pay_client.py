"""wechatpayv3 with what it leaves open: a timeout for every call, the configured address, and
the serial numbers it knows.

Its `logger` is never set: it writes the Authorization header and opened messages.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core

API_V3_KEY_LENGTH = 32
CONNECT_SECONDS = 5
FETCH_PAUSE_SECONDS = 60
# When certificates were last asked for, by the folder they go to.
_fetched_at: dict[Path, float] = {}


class ClientError(Exception):
    """Keys or certificates cannot be used."""


class _Core(Core):  # type: ignore[misc]
    """Knows its address before the constructor asks for certificates."""

    def __init__(self, *, address: str, **options: Any) -> None:
        self._address = address
        super().__init__(**options)

    @property
    def _gate_way(self) -> str:
        return self._address

    @_gate_way.setter
    def _gate_way(self, _theirs: str) -> None:
        """Ours is the configured one."""


class _Client(WeChatPay):  # type: ignore[misc]
    """The SDK's calls over our core; without a notify address that it would fall back to."""

    def __init__(self, core: Core, *, app_id: str, merchant_id: str) -> None:
        # In place of the SDK's own constructor, which makes a core of its own.
        self._type = WeChatPayType.NATIVE
        self._mchid = merchant_id
        self._appid = app_id
        self._notify_url = None
        self._core = core
        self._partner_mode = False


def build_client(config: Mapping[str, Any]) -> WeChatPay:
    """Return the SDK's client for `config`: certificate mode when it names a folder.

    Raises `ClientError`.
    """
    try:
        secrets = {
            "private_key": Path(config["merchant_key_file"]).read_text(),
            "apiv3_key": Path(config["api_v3_key_file"]).read_text().strip(),
        }
        identity: dict[str, Any] = {"cert_dir": config["certificate_dir"]}
        if not config["certificate_dir"]:
            identity = {
                "public_key": Path(config["public_key_file"]).read_text(),
                "public_key_id": config["public_key_id"],
            }
    except (OSError, ValueError) as error:
        raise ClientError("keys of WeChat Pay cannot be read") from error
    if len(secrets["apiv3_key"]) != API_V3_KEY_LENGTH:
        raise ClientError("the APIv3 key has not 32 characters")
    if config["certificate_dir"]:
        _space_out_fetches(Path(config["certificate_dir"]))
    try:
        core = _Core(
            address=config["gateway"].rstrip("/"),
            mchid=config["merchant_id"],
            cert_serial_no=config["merchant_serial"],
            timeout=(CONNECT_SECONDS, config["timeout_seconds"]),
            **secrets,
            **identity,
        )
    except Exception as error:
        # The SDK raises bare Exceptions: for a key it cannot read, and in certificate mode
        # for everything on the way to the certificates.
        raise ClientError("keys of WeChat Pay cannot be used") from error
    return _Client(core, app_id=config["app_id"], merchant_id=config["merchant_id"])


def _space_out_fetches(folder: Path) -> None:
    """Raise `ClientError` where certificates would be fetched again within a minute.

    The gateway is opened for every post to the notify address: without certificates each
    would make the SDK ask WeChat for them.
    """
    if any(folder.glob("*.pem")):
        return
    now = time.monotonic()
    if now - _fetched_at.get(folder, -FETCH_PAUSE_SECONDS) < FETCH_PAUSE_SECONDS:
        raise ClientError("certificates were asked for a moment ago")
    _fetched_at[folder] = now


def is_known_serial(client: WeChatPay, serial: str, now: datetime) -> bool:
    """Whether WeChat's signature under `serial` can be verified without asking WeChat."""
    core = client._core
    if core._public_key_id:
        return bool(serial == core._public_key_id)
    known = {
        f"{certificate.serial_number:X}"
        for certificate in core._certificates
        if certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
    }
    return serial.upper().lstrip("0") in known
