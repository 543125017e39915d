"""The files of a deployment agree with each other and with the code."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent.parent
COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
EXAMPLE = (PROJECT / "deploy/example.env").read_text()
NAMED = re.compile(r"\$\{(\w+)")


def test_every_running_service_has_a_health_check():
    unchecked = [
        name
        for name, service in COMPOSE["services"].items()
        if "healthcheck" not in service
    ]

    # It ends after its work; the others wait for its success.
    assert unchecked == ["migrate"]


def test_the_services_of_the_portal_are_there():
    assert set(COMPOSE["services"]) == {
        *("web", "worker", "beat", "migrate"),
        *("postgres", "redis", "nginx"),
    }


def test_nothing_has_to_be_set_to_read_the_file_but_every_name_is_explained():
    """`docker compose config` is valid anywhere; what is missing stops the container."""
    text = (PROJECT / "docker-compose.yml").read_text()
    named = set(NAMED.findall(text))
    explained = set(re.findall(r"^#? ?(\w+)=", EXAMPLE, re.MULTILINE))

    assert named - explained == set()
    assert re.findall(r"\$\{\w+(?!:-)[^\w:]", text) == []


def test_no_secret_has_a_default():
    for name in ("SECRET_KEY", "FIELD_KEYS", "INDEX_KEY", "POSTGRES_PASSWORD"):
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE)
        assert f"${{{name}:-}}" in (PROJECT / "docker-compose.yml").read_text()


def test_the_image_is_built_from_the_lock_files():
    text = (PROJECT / "Dockerfile").read_text()

    assert "--require-hashes -r requirements/base.txt" in text
    assert "${SMS_SDK:+-r requirements/sms.txt}" in text
    assert "--require-hashes -r node.txt" in text
    assert "npm ci --ignore-scripts" in text
    assert re.search(r"^USER portal$", text, re.MULTILINE)


def load_production(folder: Path, environment: dict[str, str]) -> str:
    """Load the settings as a container does; the last line of the complaint, if any."""
    result = subprocess.run(
        [sys.executable, "-c", "from django.conf import settings; settings.DEBUG"],
        cwd=PROJECT,
        env={
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "PORTAL_PRODUCTION": "true",
            "PORTAL_VAR": str(folder),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return (result.stderr.splitlines() or [""])[-1]


def test_settings_load_with_what_the_image_is_built_with(tmp_path):
    text = (PROJECT / "Dockerfile").read_text()
    step = text[text.index("RUN SECRET_KEY=") : text.index("python manage.py coll")]
    environment = dict(re.findall(r"([A-Z_]+)=(\S+)", step))

    assert load_production(tmp_path, environment) == ""


def test_settings_load_with_what_the_containers_are_given(tmp_path):
    assert {"path": ".env", "required": False} in COMPOSE["x-portal"]["env_file"]
    given = dict(re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE))
    given |= dict.fromkeys(COMPOSE["x-portal"]["environment"], "x")
    given |= {
        "PORTAL_PRODUCTION": "true",
        "DATABASE_URL": "postgres://portal:x@postgres/portal",
        "EMAIL_URL": "",
        "TRUSTED_PROXY_COUNT": "1",
        "PAYMENT_GATEWAYS": "wechat,alipay",
    }
    assert load_production(tmp_path, given) == ""

    for name in ("SECRET_KEY", "INDEX_KEY", "ALLOWED_HOSTS", "DATABASE_URL"):
        without = {key: value for key, value in given.items() if key != name}
        assert load_production(tmp_path, without) == (
            f"django.core.exceptions.ImproperlyConfigured: Set the {name} "
            "environment variable"
        )


def test_unknown_gateway_stops_the_start(tmp_path):
    given = dict.fromkeys(COMPOSE["x-portal"]["environment"], "x")
    given |= {
        "DATABASE_URL": "postgres://portal:x@postgres/portal",
        "EMAIL_URL": "dummymail://",
        "TRUSTED_PROXY_COUNT": "1",
        "PAYMENT_GATEWAYS": "alipay,bitcoin",
    }

    assert load_production(tmp_path, given) == (
        "django.core.exceptions.ImproperlyConfigured: "
        "PAYMENT_GATEWAYS names bitcoin; known are alipay, wechat, unionpay"
    )
