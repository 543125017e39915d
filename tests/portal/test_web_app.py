"""The installable web app: what browsers are told, and what the worker may keep."""

import json
import re
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from PIL import Image

from portal import web_app

MANIFEST, WORKER, OFFLINE = "/manifest.webmanifest", "/sw.js", "/offline/"


@pytest.fixture
def worker_settings(client: Client) -> dict[str, Any]:
    """What the served worker goes by."""
    return read_settings(client)


def read_settings(client: Client) -> dict[str, Any]:
    text = client.get(WORKER).content.decode()
    found = re.match(r"const SETTINGS = (\{.*\});\n", text)
    assert found
    return dict(json.loads(found[1]))


def test_manifest_speaks_chinese_and_stays_on_the_site(client: Client) -> None:
    response = client.get(MANIFEST)

    assert response["Content-Type"] == "application/manifest+json"
    assert response["Cache-Control"] == "public, max-age=600"
    told = response.json()
    assert (told["name"], told["short_name"]) == ("重庆人社培训网", "人社培训")
    assert (told["lang"], told["display"]) == ("zh-CN", "standalone")
    assert (told["start_url"], told["scope"]) == ("/space/", "/")
    assert [each["url"] for each in told["shortcuts"]] == [
        *("/training/", "/certificates/", "/orders/"),
    ]


def test_icons_are_there_in_the_sizes_named(client: Client) -> None:
    icons = client.get(MANIFEST).json()["icons"]

    assert [(each["sizes"], each["purpose"]) for each in icons] == [
        *(("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")),
    ]
    for icon in icons:
        path = finders.find(icon["src"].removeprefix(static("")))
        assert path
        with Image.open(str(path)) as picture:
            assert "{}x{}".format(*picture.size) == icon["sizes"]
            # Systems cut maskable icons: their corners are ground, not holes.
            corner = picture.convert("RGBA").getpixel((0, 0))
            assert corner == (
                (154, 31, 35, 255) if icon["purpose"] == "maskable" else (0, 0, 0, 0)
            )


def test_worker_is_served_for_the_whole_site(client: Client) -> None:
    response = client.get(WORKER)

    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Cache-Control"] == "public, max-age=600"
    assert "'self'" in response["Content-Security-Policy"]
    assert "sessionid" not in response.cookies


def test_worker_keeps_the_offline_page_and_its_files_only(
    worker_settings: dict[str, Any],
) -> None:
    assert worker_settings["offline"] == OFFLINE
    assert worker_settings["files"] == [
        OFFLINE,
        *(static(name) for name in web_app.OFFLINE_FILES),
    ]
    assert worker_settings["isOn"] is True


def test_everything_the_offline_page_shows_is_kept(
    client: Client, worker_settings: dict[str, Any]
) -> None:
    page = client.get(OFFLINE).content.decode()

    shown = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page))
    assert shown == set(worker_settings["files"]) - {OFFLINE}


@pytest.mark.django_db
def test_the_offline_page_is_the_same_for_everybody(
    client: Client, client_of: Any, owner: Any, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        anonymous = client.get(OFFLINE)
    known = client_of(owner).get(OFFLINE)

    assert known.content == anonymous.content
    assert owner.name not in known.content.decode()


def test_the_name_of_the_cache_changes_with_the_worker(
    client: Client, tmp_path: Any, monkeypatch: Any
) -> None:
    before = read_settings(client)["cache"]
    changed = tmp_path / "service_worker.js"
    changed.write_text(web_app.SOURCE.read_text() + "// Another.\n")
    monkeypatch.setattr(web_app, "SOURCE", changed)
    web_app.build_worker.cache_clear()

    assert read_settings(client)["cache"] != before

    web_app.build_worker.cache_clear()


def test_a_switch_takes_the_worker_out_of_all_browsers(
    client: Client, settings: Any
) -> None:
    settings.SERVICE_WORKER = False

    assert read_settings(client)["isOn"] is False


@pytest.mark.django_db
@pytest.mark.parametrize(("is_on", "address"), [(True, WORKER), (False, None)])
def test_pages_name_manifest_and_worker(
    client: Client, settings: Any, is_on: bool, address: str | None
) -> None:
    settings.SERVICE_WORKER = is_on

    page = client.get(reverse("plan-list")).content.decode()

    assert f'<link rel="manifest" href="{MANIFEST}">' in page
    assert (f'data-worker="{WORKER}"' in page) is (address is not None)
