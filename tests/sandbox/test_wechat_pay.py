"""The simulator of WeChat Pay v3 and the portal's gateway over the SDK, each checking the
other."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils import timezone

from orders.payments.protocol import (
    Callbacks,
    Channel,
    Charge,
    GatewayRefused,
    GatewayUnavailable,
    NumberUsedUp,
    Payer,
    Start,
    State,
)
from orders.payments.registry import get_gateway, reset_gateways
from portal.sandbox import SandboxServer
from portal.sandbox.wechat import PEOPLE
from tests.sandbox.test_protocol import make_charge

NOTIFY_URL = "http://127.0.0.1:1/notify"
RETURN_URL = "http://127.0.0.1:1/return"
CALLBACKS = Callbacks(NOTIFY_URL, RETURN_URL)
OPENID = PEOPLE[0].openid
PAYER = Payer(openid=OPENID, address="203.0.113.7")
DOUBTS = ["hang", "html", "system_error", "rate_limit", "bad_signature"]


def start(charge: Charge, channel: Channel = Channel.DESK) -> Start:
    return get_gateway("wechat").start(charge, channel, CALLBACKS, PAYER)


@pytest.fixture
def charge(sandbox: SandboxServer) -> Charge:
    """An attempt for 33 yuan whose QR code is shown."""
    charge = make_charge()
    start(charge)
    return charge


@pytest.fixture
def paid(sandbox: SandboxServer, charge: Charge) -> Charge:
    sandbox.wechat_pay.pay(charge.number)
    return charge


# --- Three ways to pay -------------------------------------------------------------------


def test_desk_gets_a_code_that_opens_the_cashier(sandbox: SandboxServer) -> None:
    charge = make_charge()

    way = start(charge)

    page = requests.get(way.url, timeout=5).text
    assert way.kind is Start.Kind.QR
    assert "微信支付" in page
    assert "扫码支付" in page
    assert "33.00" in page
    assert charge.number in page
    assert "模拟收银台·非真实支付" in page


def test_wechats_own_browser_gets_what_its_bridge_wants(
    sandbox: SandboxServer,
) -> None:
    charge = make_charge()

    way = start(charge, Channel.WECHAT)

    trade = sandbox.wechat_pay.open_bridge(way.fields)
    assert way.kind is Start.Kind.JSAPI
    assert way.url == f"{RETURN_URL}?out_trade_no={charge.number}"
    assert (trade.number, trade.channel) == (charge.number, "公众号支付")
    assert sandbox.wechat_pay.show(charge.number)["payer"] == OPENID


@pytest.mark.parametrize("name", ["timeStamp", "nonceStr", "appId", "paySign"])
def test_changed_bridge_fields_are_refused(sandbox: SandboxServer, name: str) -> None:
    fields = start(make_charge(), Channel.WECHAT).fields

    with pytest.raises(ValueError, match="wrong paySign"):
        sandbox.wechat_pay.open_bridge({**fields, name: "1"})


def test_phone_is_led_to_the_pay_page_and_told_the_way_back(
    sandbox: SandboxServer,
) -> None:
    charge = make_charge()

    way = start(charge, Channel.PHONE)

    query = parse_qs(urlsplit(way.url).query)
    page = requests.get(way.url, headers={"Referer": "https://portal.test/"}, timeout=5)
    assert way.kind is Start.Kind.REDIRECT
    assert query["redirect_url"] == [f"{RETURN_URL}?out_trade_no={charge.number}"]
    assert "手机网页支付" in page.text
    back = sandbox.wechat_pay.get_trade(charge.number).back_url
    assert get_gateway("wechat").read_return(
        {k: v[0] for k, v in parse_qs(urlsplit(back).query).items()}
    ) == (charge.number)


def test_phone_page_wants_to_know_where_the_browser_comes_from(
    sandbox: SandboxServer,
) -> None:
    response = requests.get(start(make_charge(), Channel.PHONE).url, timeout=5)

    assert response.status_code == 400
    assert "商家参数格式有误" in response.text


@pytest.mark.parametrize(
    ("channel", "code"),
    [(Channel.WECHAT, "NO_OPENID"), (Channel.PHONE, "NO_ADDRESS")],
)
def test_start_without_what_the_channel_needs_is_refused(
    sandbox: SandboxServer, channel: Channel, code: str
) -> None:
    with pytest.raises(GatewayRefused) as refused:
        get_gateway("wechat").start(make_charge(), channel, CALLBACKS, Payer())

    assert refused.value.code == code
    assert sandbox.wechat_pay.requests == []


def test_same_order_again_leads_to_the_same_code(charge: Charge) -> None:
    assert start(charge).url == start(charge).url


@pytest.mark.parametrize(
    "spoil",
    [
        lambda sandbox, charge: start(charge, Channel.WECHAT),
        lambda sandbox, charge: start(charge, Channel.PHONE),
        lambda sandbox, charge: sandbox.wechat_pay.pay(charge.number) or start(charge),
        lambda sandbox, charge: get_gateway("wechat").close(charge) and start(charge),
    ],
    ids=["bridge", "phone", "paid", "closed"],
)
def test_number_cannot_be_used_another_way(
    sandbox: SandboxServer, charge: Charge, spoil: Callable[..., Any]
) -> None:
    with pytest.raises(NumberUsedUp):
        spoil(sandbox, charge)


def test_long_title_with_line_breaks_is_accepted(sandbox: SandboxServer) -> None:
    charge = make_charge(title="重庆市\n2026年" + "公需科目" * 60)

    start(charge)

    subject = sandbox.wechat_pay.show(charge.number)["subject"]
    assert len(subject) == 127
    assert subject.startswith("重庆市 2026年公需科目")


def test_expiry_is_told_in_beijing_time(sandbox: SandboxServer) -> None:
    charge = make_charge()

    start(charge)

    told = sandbox.wechat_pay.show(charge.number)["expires_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", told)


def test_expiry_in_the_past_is_refused(sandbox: SandboxServer) -> None:
    with pytest.raises(GatewayRefused) as refused:
        start(make_charge(expires_at=timezone.now() - timedelta(seconds=5)))

    assert refused.value.code == "PARAM_ERROR"


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("merchant_id", "1900000009", GatewayUnavailable),
        ("merchant_serial", "AB", GatewayUnavailable),
        ("app_id", "wx0000000000000009", GatewayRefused),
        ("public_key_id", "PUB_KEY_ID_9", GatewayRefused),
    ],
)
def test_another_account_is_refused(
    sandbox: SandboxServer,
    settings: Any,
    setting: str,
    value: str,
    error: type[Exception],
) -> None:
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, setting: value}

    with pytest.raises(error):
        start(make_charge())


# --- Asking and ending -------------------------------------------------------------------


def test_query_follows_the_trade(sandbox: SandboxServer, charge: Charge) -> None:
    gateway = get_gateway("wechat")

    assert gateway.query(charge).state is State.UNPAID
    sandbox.wechat_pay.pay(charge.number)
    report = gateway.query(charge)

    assert report.state is State.PAID
    assert (report.amount_fen, report.currency) == (3300, "CNY")
    assert report.seller == "1900000001"
    assert report.paid_at is not None
    assert timedelta(0) <= timezone.now() - report.paid_at < timedelta(minutes=1)
    assert len(report.gateway_number) == 28


def test_query_keeps_nothing_of_the_payer(paid: Charge) -> None:
    report = get_gateway("wechat").query(paid)

    assert "openid" not in str(report.raw)


def test_query_reports_the_amount_that_was_paid(
    sandbox: SandboxServer, charge: Charge
) -> None:
    sandbox.wechat_pay.pay(charge.number, amount_fen=1)

    assert get_gateway("wechat").query(charge).amount_fen == 1


def test_number_never_ordered_is_not_found(sandbox: SandboxServer) -> None:
    gateway = get_gateway("wechat")

    assert gateway.query(make_charge()).state is State.NOT_FOUND
    assert gateway.close(make_charge()) is State.NOT_FOUND


def test_close_ends_an_unpaid_trade(charge: Charge) -> None:
    gateway = get_gateway("wechat")

    assert gateway.close(charge) is State.CLOSED
    assert gateway.close(charge) is State.CLOSED
    assert gateway.query(charge).state is State.CLOSED


def test_close_of_a_paid_trade_is_in_doubt(paid: Charge) -> None:
    gateway = get_gateway("wechat")

    assert gateway.close(paid) is State.UNKNOWN
    assert gateway.query(paid).state is State.PAID


@pytest.mark.parametrize("fault", DOUBTS)
def test_every_doubtful_answer_means_ask_again(
    sandbox: SandboxServer, paid: Charge, fault: str
) -> None:
    sandbox.wechat_pay.faults.append(fault)
    gateway = get_gateway("wechat")

    with pytest.raises(GatewayUnavailable):
        gateway.query(paid)

    assert gateway.query(paid).state is State.PAID


@pytest.mark.parametrize("fault", DOUBTS)
def test_doubt_about_a_start_is_no_start(sandbox: SandboxServer, fault: str) -> None:
    sandbox.wechat_pay.faults.append(fault)
    charge = make_charge()

    with pytest.raises(GatewayUnavailable):
        start(charge)

    assert start(charge).kind is Start.Kind.QR


def test_empty_answer_of_a_close_is_verified_as_well(
    sandbox: SandboxServer, charge: Charge
) -> None:
    sandbox.wechat_pay.faults.append("bad_signature")

    with pytest.raises(GatewayUnavailable):
        get_gateway("wechat").close(charge)


def test_unreachable_gateway_means_ask_again(
    sandbox: SandboxServer, charge: Charge, settings: Any
) -> None:
    settings.WECHAT_PAY = {**settings.WECHAT_PAY, "gateway": "http://127.0.0.1:1"}
    reset_gateways()

    with pytest.raises(GatewayUnavailable):
        get_gateway("wechat").query(charge)
