"""Where the sandbox runs and where it refuses to, what it keeps, how tests control it."""

import stat
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from orders.payments.protocol import Callbacks, Channel
from orders.payments.registry import get_gateway
from portal.sandbox import SandboxConfig, SandboxError, SandboxServer
from portal.sandbox.alipay import AlipayAccount
from portal.sandbox.simulator import Delivery
from portal.sandbox.unionpay import UnionPayAccount
from portal.sandbox.wechat import WeChatAccount
from portal.sandbox.wechat_pay_signatures import WeChatPayAccount
from tests.sandbox.test_protocol import make_charge


def make_config(folder: Path) -> SandboxConfig:
    return SandboxConfig(
        folder=folder,
        alipay=AlipayAccount("2021000000000001", "2088000000000001"),
        unionpay=UnionPayAccount("777290000000001", "password"),
        wechat=WeChatAccount("wx0000000000000001", "secret"),
        wechat_pay=WeChatPayAccount(
            "wx0000000000000001", "1900000001", "5157", "PUB_1"
        ),
    )


@pytest.fixture
def charge(sandbox: SandboxServer) -> Any:
    charge = make_charge()
    start = get_gateway("alipay").start(
        charge, Channel.DESK, Callbacks("", "http://127.0.0.1:1/return")
    )
    requests.get(start.url, timeout=5)
    return charge


def control(sandbox: SandboxServer, path: str, body: object) -> requests.Response:
    return requests.post(f"{sandbox.url}/control/{path}", json=body, timeout=5)


# --- Where it runs -----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "", "::"])
def test_other_addresses_than_loopback_are_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(SandboxError, match="loopback only"):
        SandboxServer(make_config(tmp_path), host=host)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"PRODUCTION": True},
        {"SANDBOX": False},
        {"ALIPAY": {"gateway": "https://openapi.alipay.com/gateway.do"}},
        {"ALIPAY": {"app_private_key_file": "/run/secrets/alipay.pem"}},
        {"ALIPAY": {"alipay_public_key_file": "/run/secrets/alipay_public.pem"}},
        {"WECHAT_PAY": {"gateway": "https://api.mch.weixin.qq.com"}},
        {"WECHAT_PAY": {"merchant_key_file": "/run/secrets/merchant.pem"}},
        {"WECHAT_PAY": {"api_v3_key_file": "/run/secrets/api_v3_key.txt"}},
        {"WECHAT_PAY": {"public_key_file": "/run/secrets/public.pem"}},
    ],
)
def test_command_refuses_where_real_money_is_near(
    settings: Settings, changes: dict[str, Any]
) -> None:
    for name, value in changes.items():
        known = getattr(settings, name)
        new = {**known, **value} if isinstance(value, dict) else value
        setattr(settings, name, new)

    with pytest.raises(CommandError):
        call_command("sandbox", port=0)


def test_name_that_resolves_to_loopback_is_refused(sandbox: SandboxServer) -> None:
    """DNS rebinding: a page of another site would reach the control address."""
    headers = {"Host": "evil.example"}

    response = requests.get(f"{sandbox.url}/control/health", headers=headers, timeout=5)

    assert response.status_code == 400


# --- What it keeps -----------------------------------------------------------------------


def list_keys(folder: Path) -> list[Path]:
    return [
        path for path in folder.iterdir() if path.suffix in (".pem", ".pfx", ".txt")
    ]


def test_keys_are_private_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "sandbox"
    with SandboxServer(make_config(folder)):
        first = {path.name: path.read_bytes() for path in list_keys(folder)}
    with SandboxServer(make_config(folder)):
        second = {path.name: path.read_bytes() for path in list_keys(folder)}

    assert set(first) == {
        *("alipay_app_private.pem", "alipay_app_public.pem"),
        *("alipay_gateway_private.pem", "alipay_gateway_public.pem"),
        *("unionpay_root.pem", "unionpay_middle.pem", "unionpay_signer.pem"),
        "unionpay_merchant.pfx",
        *("wechat_pay_merchant_private.pem", "wechat_pay_merchant_public.pem"),
        *("wechat_pay_platform_private.pem", "wechat_pay_platform_public.pem"),
        "wechat_pay_api_v3_key.txt",
    }
    assert first == second
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in list_keys(folder)}
    assert modes == {0o600}


def test_restart_loses_nothing(tmp_path: Path) -> None:
    with SandboxServer(make_config(tmp_path)) as server:
        store = server.alipay.trades
        body = {"token": "t", "status": "TRADE_SUCCESS", "expires_at": ""}
        store._store.put("alipay trade", "R1", body)
        code = server.wechat.make_code("oSANDBOX0000000000000000001")
        delivery = Delivery("http://127.0.0.1:1/", "a=b", "text/plain", steps=[60])
        server.notifier.enqueue(delivery, delay=60)

    with SandboxServer(make_config(tmp_path)) as server:
        url = f"{server.url}/sns/oauth2/access_token"
        query = {"appid": "wx0000000000000001", "secret": "secret", "code": code}

        assert server.alipay.trades.get("R1")["status"] == "TRADE_SUCCESS"
        assert "openid" in requests.get(url, query, timeout=5).json()
        assert [row["state"] for row in server.notifier.list_notices()] == ["waiting"]


# --- How it is controlled ----------------------------------------------------------------


def test_control_acts_and_shows(sandbox: SandboxServer, charge: Any) -> None:
    path = f"alipay/trades/{charge.number}"

    done = control(sandbox, f"{path}/actions", {"action": "pay"})
    shown = requests.get(f"{sandbox.url}/control/{path}", timeout=5)

    assert done.status_code == 200
    assert shown.json()["status"] == "TRADE_SUCCESS"


def test_control_makes_notices(sandbox: SandboxServer, charge: Any) -> None:
    path = f"alipay/trades/{charge.number}/notices"

    notice = control(sandbox, path, {"changes": {"total_amount": "0.01"}}).json()

    form = dict(parse_qsl(notice["body"]))
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    assert notice["headers"] == {"Content-Type": kind}
    assert form["total_amount"] == "0.01"
    assert form["out_trade_no"] == charge.number
    assert form["sign"]


def test_control_sets_faults(sandbox: SandboxServer) -> None:
    response = control(sandbox, "alipay/faults", {"faults": ["html", "hang"]})

    assert response.status_code == 200
    assert sandbox.alipay.faults == ["html", "hang"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("alipay/trades/R0/actions", {"action": "pay"}, 404),
        ("alipay/trades/R0/actions", {"action": "x"}, 404),
        ("alipay/trades/R0/notices", {}, 404),
        ("alipay/trades/R0/notices", {"changes": 1}, 400),
        ("alipay/faults", {"faults": ["fire"]}, 400),
        ("nopay/trades/R0/actions", {"action": "pay"}, 404),
        ("alipay/faults", [], 400),
    ],
)
def test_control_refuses_nonsense(
    sandbox: SandboxServer, path: str, body: object, status: int
) -> None:
    assert control(sandbox, path, body).status_code == status


def test_form_of_another_site_controls_nothing(
    sandbox: SandboxServer, charge: Any
) -> None:
    url = f"{sandbox.url}/control/alipay/trades/{charge.number}/actions"

    response = requests.post(url, data='{"action": "pay"}', timeout=5)

    assert response.status_code == 415
    assert sandbox.alipay.trades.get(charge.number)["status"] is None


def test_unknown_paths_and_huge_bodies_are_refused(sandbox: SandboxServer) -> None:
    assert requests.get(f"{sandbox.url}/nowhere", timeout=5).status_code == 404
    # The body itself is never sent: the server answers its announced length.
    headers = {"Content-Length": str(2 * 1024 * 1024)}
    response = requests.post(
        f"{sandbox.url}/gateway.do", headers=headers, data=b"", timeout=5
    )
    assert response.status_code == 400
