import base64
from types import SimpleNamespace

import pytest

from accounts.rules.message_texts import TEMPLATES
from portal import checks


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
    ],
)
def test_payments_need_the_merchants_own_account(production, name, value):
    if value == "sandbox":
        value = str(production.SANDBOX_DIR / "alipay_app_private.pem")
    production.ALIPAY = {**production.ALIPAY, name: value}

    assert found() == ["portal.E011"]


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
