"""The cashier's buttons, from the page to the notification that reaches the merchant."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from orders.payments.protocol import Callbacks, Channel, Inbound, NotifyRejected, State
from orders.payments.registry import get_gateway
from portal.sandbox import SandboxServer
from tests.sandbox.merchant import Merchant
from tests.sandbox.test_protocol import make_charge


@pytest.fixture
def cashier(sandbox: SandboxServer, merchant: Merchant) -> tuple[str, str]:
    """The number of a payment of 33 yuan and the address of its cashier page."""
    charge = make_charge()
    callbacks = Callbacks(f"{merchant.url}/notify", f"{merchant.url}/return")
    start = get_gateway("alipay").start(charge, Channel.DESK, callbacks)
    page = requests.get(start.url, timeout=5)
    return charge.number, page.url


def press(url: str, action: str) -> requests.Response:
    return requests.post(url, {"action": action}, allow_redirects=False, timeout=5)


def read(body: bytes) -> State:
    inbound = Inbound({}, body)
    return get_gateway("alipay").parse_notification(inbound).state


def test_page_is_chinese_and_says_that_it_is_no_payment(
    cashier: tuple[str, str],
) -> None:
    page = requests.get(cashier[1], timeout=5)

    labels = re.findall(r"<b>(.+?)</b>", page.text)
    assert "模拟收银台·非真实支付" in page.text
    assert labels == [
        *("支付成功", "稍后支付", "支付失败"),
        *("重复通知", "先通知后返回", "金额错误", "伪造签名"),
    ]
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_policy_of_the_page_lets_the_browser_back_to_the_merchant(
    cashier: tuple[str, str], merchant: Merchant
) -> None:
    policy = requests.get(cashier[1], timeout=5).headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert f"form-action 'self' {merchant.url}" in policy
    assert "unsafe" not in policy


def test_success_returns_and_notifies(
    cashier: tuple[str, str], merchant: Merchant
) -> None:
    number, url = cashier

    response = press(url, "pay")

    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert response.status_code == 303
    assert response.headers["Location"].startswith(f"{merchant.url}/return?")
    assert query["out_trade_no"] == [number]
    assert query["total_amount"] == ["33.00"]
    assert "trade_status" not in query
    assert read(merchant.wait_for(1)[0]) is State.PAID


def test_later_returns_without_paying(
    cashier: tuple[str, str], merchant: Merchant, sandbox: SandboxServer
) -> None:
    response = press(cashier[1], "later")

    assert response.headers["Location"].startswith(f"{merchant.url}/return?")
    assert sandbox.alipay.trades.get(cashier[0])["status"] == "WAIT_BUYER_PAY"
    assert merchant.bodies == []


def test_failure_stays_and_can_be_tried_again(
    cashier: tuple[str, str], merchant: Merchant, sandbox: SandboxServer
) -> None:
    response = press(cashier[1], "fail")

    page = requests.get(sandbox.url + response.headers["Location"], timeout=5)
    assert "支付失败：余额不足（模拟）" in page.text
    assert sandbox.alipay.trades.get(cashier[0])["status"] == "WAIT_BUYER_PAY"
    assert merchant.bodies == []
    press(cashier[1], "pay")
    merchant.wait_for(1)


def test_repetition_sends_the_same_notification_three_times(
    cashier: tuple[str, str], merchant: Merchant
) -> None:
    press(cashier[1], "repeat")

    assert len(set(merchant.wait_for(3))) == 1


def test_notification_first_means_before_the_return(
    cashier: tuple[str, str], merchant: Merchant
) -> None:
    press(cashier[1], "notify_first")

    assert len(merchant.bodies) == 1
    assert read(merchant.bodies[0]) is State.PAID


def test_wrong_amount_is_signed_and_one_fen(
    cashier: tuple[str, str], merchant: Merchant
) -> None:
    press(cashier[1], "wrong_amount")

    inbound = Inbound({}, merchant.wait_for(1)[0])
    report = get_gateway("alipay").parse_notification(inbound)
    assert (report.state, report.amount_fen) == (State.PAID, 1)


def test_forgery_moves_no_money_and_is_signed_by_nobody(
    cashier: tuple[str, str], merchant: Merchant, sandbox: SandboxServer
) -> None:
    press(cashier[1], "forge")

    body = merchant.wait_for(1)[0]
    assert b"trade_status=TRADE_SUCCESS" in body
    assert sandbox.alipay.trades.get(cashier[0])["status"] == "WAIT_BUYER_PAY"
    with pytest.raises(NotifyRejected, match="wrong signature"):
        read(body)


def test_notification_is_repeated_until_it_is_accepted(
    cashier: tuple[str, str], merchant: Merchant
) -> None:
    merchant.answers = [b"failure", b"<html>success</html>"]

    press(cashier[1], "notify_first")

    assert len(set(merchant.wait_for(3))) == 1


def test_paid_trade_offers_the_way_back_only(
    cashier: tuple[str, str], merchant: Merchant
) -> None:
    press(cashier[1], "pay")
    merchant.wait_for(1)

    page = requests.get(cashier[1], timeout=5).text
    again = press(cashier[1], "pay")

    assert "该笔交易已支付成功" in page
    assert "返回商户" in page
    assert "<form" not in page
    back = requests.get(f"{cashier[1]}/back", allow_redirects=False, timeout=5)
    assert back.headers["Location"].startswith(f"{merchant.url}/return?")
    assert again.headers["Location"].startswith("/cashier/alipay/")
    assert len(merchant.bodies) == 1


@pytest.mark.parametrize("action", ["", "steal"])
def test_unknown_button_is_refused(cashier: tuple[str, str], action: str) -> None:
    assert press(cashier[1], action).status_code == 404


@pytest.mark.parametrize("path", ["alipay/nobody", "alipay/nobody/back", "nopay/x"])
def test_unknown_cashier_is_not_found(sandbox: SandboxServer, path: str) -> None:
    url = f"{sandbox.url}/cashier/{path}"

    assert requests.get(url, timeout=5).status_code == 404


def test_index_lists_the_trades_with_their_gateway(
    cashier: tuple[str, str], sandbox: SandboxServer
) -> None:
    text = requests.get(sandbox.url, timeout=5).text

    row = re.search(rf"<tr><td[^>]*>{cashier[0]}</td>(.+?)</tr>", text)
    assert row is not None
    assert row[1].startswith("<td>支付宝</td>")
    assert urlsplit(cashier[1]).path in row[1]


def test_index_lists_the_newest_first_whatever_the_gateway(
    cashier: tuple[str, str], sandbox: SandboxServer
) -> None:
    first, second = make_charge(), make_charge()
    gateway = get_gateway("wechat")
    for charge, at in ((first, "2126-01-01T10:00:00"), (second, "2126-01-01T12:00:00")):
        gateway.start(charge, Channel.DESK, Callbacks("http://127.0.0.1:1/", ""))
        with sandbox.wechat_pay.trades.edit(charge.number) as trade:
            trade["created_at"] = f"{at}+08:00"
    with sandbox.alipay.trades.edit(cashier[0]) as trade:
        trade["created_at"] = "2126-01-01 11:00:00"

    text = requests.get(sandbox.url, timeout=5).text

    shown = re.findall(r"<tr><td[^>]*>(R\w+)</td><td>(\w+)</td>", text)[:3]
    assert shown == [
        (second.number, "微信支付"),
        (cashier[0], "支付宝"),
        (first.number, "微信支付"),
    ]
