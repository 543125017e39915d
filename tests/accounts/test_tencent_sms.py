"""The provider of Tencent Cloud: requests, refusals, and its JSON over a real connection."""

import json
import logging
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.errors import DeliveryError
from accounts.providers import tencent_sms
from accounts.providers.tencent_sms import TencentSmsProvider
from accounts.rules.message_texts import TEMPLATES
from accounts.rules.sms_templates import SmsTemplate, list_missing, read_templates
from tests.factories.accounts import make_phone

PHONE = make_phone(42)
CONFIG = {
    "secret_id": "id",
    "secret_key": "key",
    "app_id": "1400000001",
    "sign_name": "示例培训中心",
    "region": "ap-guangzhou",
    "templates": "code_login=1001:code,password_changed=1002,"
    "coordinator_invited=1003:inviter+token",
    "protocol": "https",
    "endpoint": "sms.example",
}


class RefusalError(Exception):
    def get_code(self):
        return self.args[0]


class FakeClient:
    def __init__(self):
        self.requests = []
        self.answer = {"Response": {"SendStatusSet": [{"Code": "Ok"}]}}

    def call_json(self, action, request):
        self.requests.append((action, request))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def client(monkeypatch, settings):
    settings.TENCENT_SMS = CONFIG
    fake = FakeClient()
    monkeypatch.setattr(tencent_sms, "load_client", lambda config: (fake, RefusalError))
    return fake


def send(template="code_login", values=None):
    TencentSmsProvider().send(
        phone=PHONE,
        text="",
        template=template,
        values={"code": "123456"} if values is None else values,
        reference="REF",
    )


def refused_with(code):
    return {"Response": {"SendStatusSet": [{"Code": code, "Message": PHONE}]}}


def test_the_request(client):
    send()

    assert client.requests == [
        (
            "SendSms",
            {
                "PhoneNumberSet": [f"+86{PHONE}"],
                "SmsSdkAppId": "1400000001",
                "SignName": "示例培训中心",
                "TemplateId": "1001",
                "TemplateParamSet": ["123456"],
                "SessionContext": "REF",
            },
        )
    ]


def test_places_are_filled_in_the_order_of_the_setting(client):
    values = {"token": "t", "unit": "某单位", "inviter": "赵一", "address": "a"}

    send("coordinator_invited", values)

    assert client.requests[0][1]["TemplateParamSet"] == ["赵一", "t"]


@pytest.mark.parametrize(
    ("code", "permanent"),
    [
        ("InvalidParameterValue.IncorrectPhoneNumber", True),
        ("InvalidParameterValue.TemplateParameterLengthLimit", True),
        ("FailedOperation.PhoneNumberInBlacklist", True),
        ("FailedOperation.ContainSensitiveWord", True),
        ("UnsupportedOperation.UnsupportedRegion", True),
        ("InvalidParameterValue.SdkAppIdNotExist", False),
        ("FailedOperation.InsufficientBalanceInSmsPackage", False),
        ("FailedOperation.TemplateIncorrectOrUnapproved", False),
        ("UnauthorizedOperation.ServiceSuspendDueToArrears", False),
        ("LimitExceeded.PhoneNumberThirtySecondLimit", False),
        ("InternalError.Timeout", False),
        ("AuthFailure.SignatureFailure", False),
        ("ClientNetworkError", False),
    ],
)
@pytest.mark.parametrize("is_raised", [True, False])
def test_refusals(client, caplog, code, permanent, is_raised):
    client.answer = RefusalError(code) if is_raised else refused_with(code)

    with pytest.raises(DeliveryError) as caught:
        send()

    assert caught.value.permanent is permanent
    assert str(caught.value) == code
    assert PHONE not in caplog.text + str(caplog.records[-1].__dict__)


@pytest.mark.parametrize(
    "answer", [{}, {"Response": {}}, {"Response": {"SendStatusSet": []}}]
)
def test_an_answer_of_another_form_is_tried_again(client, answer):
    client.answer = answer

    with pytest.raises(DeliveryError) as caught:
        send()

    assert caught.value.permanent is False


def test_a_template_without_a_counterpart_fails_at_once(client):
    with pytest.raises(DeliveryError, match="code_reset") as caught:
        send("code_reset")

    assert caught.value.permanent is True
    assert client.requests == []


def test_a_place_that_no_value_fills_fails_at_once(client):
    with pytest.raises(DeliveryError, match="code") as caught:
        send(values={})

    assert caught.value.permanent is True
    assert client.requests == []


def test_without_the_sdk_the_way_out_is_named(settings, monkeypatch):
    settings.TENCENT_SMS = CONFIG

    def fail(name):
        raise ImportError(name)

    monkeypatch.setattr(tencent_sms, "import_module", fail)

    with pytest.raises(ImproperlyConfigured, match=r"requirements/sms\.txt"):
        TencentSmsProvider()


def test_templates_are_read():
    read = read_templates(" code_login=1001:code , password_changed=1002,")

    assert read == {
        "code_login": SmsTemplate("1001", ("code",)),
        "password_changed": SmsTemplate("1002", ()),
    }
    assert "code_login" not in list_missing(read)
    assert "code_reset" in list_missing(read)
    assert list_missing(TEMPLATES) == []


@pytest.mark.parametrize(
    "text", ["nothing=1", "code_login", "code_login=", "code_login=a b"]
)
def test_other_templates_are_refused(text):
    with pytest.raises(ValueError, match="not a template"):
        read_templates(text)


# --- Over a connection, with the real SDK where it is installed ---------------------------
class Gateway(BaseHTTPRequestHandler):
    """Answers as Tencent does and keeps what it was asked."""

    asked: list = []
    answer: dict = {}

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.headers["X-TC-Action"], json.loads(body)))
        content = json.dumps({"Response": self.answer | {"RequestId": "r"}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture
def gateway(settings):
    pytest.importorskip("tencentcloud")
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    Thread(target=server.serve_forever, daemon=True).start()
    Gateway.asked = []
    settings.TENCENT_SMS = CONFIG | {
        "protocol": "http",
        "endpoint": f"127.0.0.1:{server.server_port}",
    }
    yield Gateway
    server.shutdown()
    server.server_close()


def test_the_sdk_speaks_to_a_gateway(gateway):
    gateway.answer = {"SendStatusSet": [{"Code": "Ok"}]}

    send()

    action, body = gateway.asked[0]
    assert action == "SendSms"
    assert body["PhoneNumberSet"] == [f"+86{PHONE}"]
    assert body["TemplateParamSet"] == ["123456"]


def test_the_sdk_raises_what_the_gateway_refuses(gateway):
    gateway.answer = {
        "Error": {
            "Code": "InvalidParameterValue.IncorrectPhoneNumber",
            "Message": PHONE,
        }
    }

    with pytest.raises(DeliveryError) as caught:
        send()

    assert caught.value.permanent is True
    assert PHONE not in str(caught.value)


def test_the_sdk_does_not_log_requests(gateway, caplog):
    gateway.answer = {"SendStatusSet": [{"Code": "Ok"}]}
    caplog.set_level(logging.DEBUG)

    send()

    assert PHONE not in caplog.text


def test_nobody_at_the_other_end(gateway, settings):
    settings.TENCENT_SMS = CONFIG | {"protocol": "http", "endpoint": "127.0.0.1:1"}

    with pytest.raises(DeliveryError, match="ClientNetworkError") as caught:
        send()

    assert caught.value.permanent is False
