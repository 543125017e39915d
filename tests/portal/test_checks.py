import base64
from types import SimpleNamespace

import pytest

from accounts.rules.message_texts import TEMPLATES
from portal import checks

pytestmark = pytest.mark.stores


def key(number: int) -> str:
    return base64.urlsafe_b64encode(bytes([number]) * 32).decode()


@pytest.fixture
def production(settings, monkeypatch):
    """Settings as they should be in production."""
    settings.SANDBOX = False
    settings.MESSAGE_BOX = False
    settings.STAFF_TOTP = True
    settings.INVOICE_PROVIDER = ""
    settings.SMS_PROVIDER = "example.sms.Operator"
    settings.MAIL_SERVER = True
    settings.DEFAULT_FROM_EMAIL = "portal@portal.example"
    settings.SECRET_KEY = "s" * 50
    settings.FIELD_KEYS = f"k2:{key(2)},k1:{key(1)}"
    settings.INDEX_KEY = key(3)
    settings.ALLOWED_HOSTS = ["portal.example"]
    settings.SITE_URL = "https://portal.example"
    settings.REDIS_URL = "redis://redis/0"
    settings.ALIPAY = {
        "gateway": "https://openapi.alipay.com/gateway.do",
        "app_id": "2021000000000009",
        "seller_id": "2088000000000009",
        "app_private_key_file": "/run/portal-keys/alipay_app_private.pem",
        "alipay_public_key_file": "/run/portal-keys/alipay_gateway_public.pem",
        "app_certificate_file": "",
        "alipay_certificate_file": "",
        "alipay_root_file": "",
    }
    settings.UNIONPAY = {
        "gateway": "https://gateway.95516.com",
        "file_url": "https://filedownload.95516.com/",
        "merchant_id": "802500000000009",
        "merchant_key_file": "/run/portal-keys/unionpay_merchant.pfx",
        "merchant_key_password": "p" * 20,
        "root_certificate_file": "/run/portal-keys/unionpay_root.pem",
        "middle_certificate_file": "/run/portal-keys/unionpay_middle.pem",
        "accepts_test_signer": False,
    }
    settings.WECHAT_PAY = {
        "gateway": "https://api.mch.weixin.qq.com",
        "app_id": "wx0000000000000009",
        "merchant_id": "1900000009",
        "merchant_serial": "4F2A",
        "merchant_key_file": "/run/portal-keys/wechat_pay_merchant.pem",
        "api_v3_key_file": "/run/portal-keys/wechat_pay_api_v3_key.txt",
        "public_key_id": "PUB_KEY_ID_0119000000092026",
        "public_key_file": "/run/portal-keys/wechat_pay_public.pem",
        "certificate_dir": "",
    }
    monkeypatch.setattr(checks, "connection", SimpleNamespace(vendor="postgresql"))
    return settings


def found() -> list[str]:
    return [message.id for message in checks.check_production(None)]


def test_a_proper_production_passes(production):
    assert found() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SANDBOX", True, ["portal.E002"]),
        ("MESSAGE_BOX", True, ["portal.E003"]),
        ("SECRET_KEY", "short", ["portal.E004"]),
        ("FIELD_KEYS", "", ["portal.E005"]),
        ("FIELD_KEYS", "k1:c2hvcnQ=", ["portal.E005"]),
        ("FIELD_KEYS", "k1:not base64", ["portal.E005"]),
        ("INDEX_KEY", "", ["portal.E006"]),
        ("INDEX_KEY", "guessable", ["portal.E006"]),
        ("INDEX_KEY", key(1), ["portal.E007"]),
        ("ALLOWED_HOSTS", ["*"], ["portal.E008"]),
        ("SITE_URL", "http://portal.example", ["portal.E009"]),
        (
            "INVOICE_PROVIDER",
            "invoices.providers.embedded.SampleInvoiceProvider",
            ["portal.E010"],
        ),
        (
            "SMS_PROVIDER",
            "accounts.services.messages.MessageBoxProvider",
            ["portal.E012"],
        ),
        ("STAFF_TOTP", False, ["portal.E013"]),
        ("STAFF_ADDRESSES", ["10.1.0.0/16", "office"], ["portal.E014"]),
        ("REDIS_URL", "", ["portal.W002"]),
        ("MAIL_SERVER", False, ["portal.W005"]),
        ("DEFAULT_FROM_EMAIL", "no-reply@localhost", ["portal.W006"]),
    ],
)
def test_what_must_not_go_live_is_found(production, name, value, expected):
    setattr(production, name, value)

    assert found() == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gateway", "http://127.0.0.1:8010/gateway.do"),
        ("app_id", ""),
        ("seller_id", ""),
        ("app_private_key_file", "sandbox"),
        ("alipay_public_key_file", "sandbox"),
        ("alipay_public_key_file", ""),
    ],
)
def test_payments_need_the_merchants_own_account(production, name, value):
    if value == "sandbox":
        value = str(production.SANDBOX_DIR / f"{name}.pem")
    production.ALIPAY = {**production.ALIPAY, name: value}

    assert found() == ["portal.E011"]


def test_certificate_mode_of_alipay_is_complete(production):
    files = ("app_certificate_file", "alipay_certificate_file", "alipay_root_file")
    production.ALIPAY = production.ALIPAY | dict.fromkeys(files, "/run/x.pem")
    production.ALIPAY["alipay_public_key_file"] = ""
    assert found() == []

    for name in files:
        production.ALIPAY = production.ALIPAY | {name: ""}
        messages = checks.check_production(None)
        assert [message.id for message in messages] == ["portal.E030"]
        production.ALIPAY = production.ALIPAY | {name: "/run/x.pem"}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("gateway", "http://127.0.0.1:8010", "portal.E031"),
        ("file_url", "http://filedownload.95516.com/", "portal.E031"),
        ("merchant_id", "", "portal.E031"),
        ("merchant_key_password", "", "portal.E031"),
        ("merchant_key_file", "sandbox", "portal.E031"),
        ("root_certificate_file", "sandbox", "portal.E031"),
        ("middle_certificate_file", "", "portal.E031"),
        ("accepts_test_signer", True, "portal.E032"),
    ],
)
def test_unionpay_needs_the_merchants_own_account(production, name, value, expected):
    if value == "sandbox":
        value = str(production.SANDBOX_DIR / "unionpay.pem")
    production.UNIONPAY = production.UNIONPAY | {name: value}

    assert found() == [expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gateway", "http://127.0.0.1:8010"),
        ("app_id", ""),
        ("merchant_id", ""),
        ("merchant_serial", ""),
        ("public_key_id", ""),
        ("public_key_id", "4F2A"),
        ("public_key_file", ""),
        ("public_key_file", "sandbox"),
        ("merchant_key_file", "sandbox"),
        ("api_v3_key_file", "sandbox"),
        ("certificate_dir", "sandbox"),
    ],
)
def test_wechat_pay_needs_the_merchants_own_account(production, name, value):
    if value == "sandbox":
        value = str(production.SANDBOX_DIR / name)
    production.WECHAT_PAY = {**production.WECHAT_PAY, name: value}

    assert found() == ["portal.E021"]


def test_wechat_pay_in_certificate_mode_needs_no_public_key(production):
    production.WECHAT_PAY = {
        **production.WECHAT_PAY,
        "public_key_id": "",
        "public_key_file": "",
        "certificate_dir": "/var/lib/portal/wechat_pay",
    }

    assert found() == []


def test_gateway_that_is_not_offered_is_not_asked_about(production):
    production.ALIPAY = {**production.ALIPAY, "app_id": ""}
    production.WECHAT_PAY = {**production.WECHAT_PAY, "app_id": ""}
    production.PAYMENT_GATEWAYS = {"wechat": production.PAYMENT_GATEWAYS["wechat"]}

    assert found() == ["portal.E021"]


def test_an_embedded_database_in_production_is_a_warning(production, monkeypatch):
    monkeypatch.setattr(checks, "connection", SimpleNamespace(vendor="sqlite"))

    assert found() == ["portal.W001"]


def test_missing_front_end_files_lead_to_the_command_that_gets_them(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    settings.NODE_MODULES = tmp_path / "node_modules"

    (message,) = checks.check_front_end(None)

    assert message.id == "portal.E001"
    assert message.hint == "请运行 script/bootstrap"
    assert "htmx.org" in message.msg


def test_collected_files_need_no_node_modules(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.NODE_MODULES = tmp_path / "node_modules"
    (tmp_path / "staticfiles.json").touch()

    assert checks.check_front_end(None) == []


def test_installed_packages_pass():
    assert checks.check_front_end(None) == []


@pytest.mark.parametrize("rule", ["edu_last_six", "last_six", "zeros"])
def test_known_rules_of_the_first_password_pass(settings, rule):
    settings.FIRST_PASSWORD_RULE = rule

    assert checks.check_first_password_rule(None) == []


@pytest.mark.parametrize("rule", ["", "edu", "EDU_LAST_SIX"])
def test_an_unknown_rule_of_the_first_password_stops_the_start(settings, rule):
    settings.FIRST_PASSWORD_RULE = rule

    assert [each.id for each in checks.check_first_password_rule(None)] == [
        "portal.E020"
    ]


# --- SMS -----------------------------------------------------------------------------------
TENCENT = "accounts.providers.tencent_sms.TencentSmsProvider"


@pytest.fixture
def tencent(production, monkeypatch):
    """Production with a complete Tencent Cloud SMS."""
    templates = ",".join(f"{name}=1" for name in TEMPLATES)
    production.SMS_PROVIDER = TENCENT
    production.TENCENT_SMS = {
        "secret_id": "id",
        "secret_key": "key",
        "app_id": "1",
        "sign_name": "示例",
        "templates": templates,
    }
    monkeypatch.setattr(checks, "find_spec", lambda name: object())
    return production


def test_no_sms_provider_is_a_warning(production):
    production.SMS_PROVIDER = ""

    assert found() == ["portal.W003"]


def test_a_complete_tencent_sms_passes(tencent):
    assert found() == []


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("secret_key", "", "portal.E016"),
        ("templates", "", "portal.E016"),
        ("templates", "nothing=1", "portal.E018"),
        ("templates", "code_login=1:code", "portal.W004"),
    ],
)
def test_an_incomplete_tencent_sms(tencent, key, value, expected):
    tencent.TENCENT_SMS = tencent.TENCENT_SMS | {key: value}

    assert found() == [expected]


def test_tencent_sms_without_its_sdk(tencent, monkeypatch):
    monkeypatch.setattr(checks, "find_spec", lambda name: None)

    assert found() == ["portal.E017"]
