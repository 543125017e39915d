"""The files of a deployment agree with each other and with the code."""

import re
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
    assert "--require-hashes -r node.txt" in text
    assert "npm ci --ignore-scripts" in text
    assert re.search(r"^USER portal$", text, re.MULTILINE)


def test_every_secret_setting_that_production_needs_is_handed_to_the_containers():
    settings = (PROJECT / "portal/settings.py").read_text()
    needed = set(re.findall(r'= secret\("(\w+)"\)', settings))
    handed = set(COMPOSE["x-portal"]["environment"])

    assert needed - handed == set()
    assert {"SECRET_KEY", "INDEX_KEY"} <= needed
