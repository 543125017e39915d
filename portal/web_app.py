"""The portal as an installable web app: its manifest, its service worker, its offline page.

The worker is served from the root, since it can be in charge of what lies below its address
only. It keeps the offline page and the files that page shows; SERVICE_WORKER=false puts one in
its place that removes all of it from every browser.
"""

import functools
import json
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

SOURCE = Path(__file__).with_name("service_worker.js")
SHORT_NAME = "人社培训"
# The colours of static/css/site.css.
THEME, PAPER = "#8f1d21", "#faf8f4"
# Drawn by script/draw_icons.py.
ICONS = (
    ("img/app/icon-192.png", "192x192", "any"),
    ("img/app/icon-512.png", "512x512", "any"),
    ("img/app/maskable-512.png", "512x512", "maskable"),
)
OFFLINE_FILES = (
    "bootstrap/dist/css/bootstrap.min.css",
    "css/site.css",
    "css/pieces.css",
    "img/emblem.svg",
    "js/offline.js",
)
# For so long a browser may go on with a manifest or a worker that has been replaced.
KEPT_SECONDS = 600


@require_safe
def manifest(request: HttpRequest) -> HttpResponse:
    described = {
        "id": "/",
        "name": settings.PORTAL_NAME,
        "short_name": SHORT_NAME,
        "description": "重庆市专业技术人员继续教育公需科目、专业科目网络学习",
        "lang": "zh-CN",
        "dir": "ltr",
        "start_url": reverse("dashboard"),
        "scope": "/",
        "display": "standalone",
        "theme_color": THEME,
        "background_color": PAPER,
        "icons": [
            {"src": static(name), "sizes": sizes, "type": "image/png", "purpose": use}
            for name, sizes, use in ICONS
        ],
        "shortcuts": [
            {"name": name, "url": reverse(page)}
            for name, page in (
                ("课程培训", "learning:training"),
                ("我的证书", "certificates:list"),
                ("我的订单", "orders:list"),
            )
        ],
    }
    return JsonResponse(
        described,
        json_dumps_params={"ensure_ascii": False},
        content_type="application/manifest+json",
        headers={"Cache-Control": f"public, max-age={KEPT_SECONDS}"},
    )


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        build_worker(is_on=settings.SERVICE_WORKER),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": f"public, max-age={KEPT_SECONDS}"},
    )


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/offline.html")


@functools.cache
def build_worker(*, is_on: bool) -> str:
    """The worker's text, with the files it keeps and a name for them.

    The name is made of all that is kept, so a release that changes any of it makes browsers
    fetch it anew and forget the old. Made once by each process: files change with releases.
    """
    source, page = SOURCE.read_text(), reverse("offline")
    files = [page, *(static(name) for name in OFFLINE_FILES)]
    what = "\n".join([source, render_to_string("portal/offline.html"), *files])
    told = {
        "isOn": is_on,
        "cache": f"portal-{sha256(what.encode()).hexdigest()[:16]}",
        "offline": page,
        "files": files,
    }
    return f"const SETTINGS = {json.dumps(told)};\n{source}"
