"""Static files from npm packages: a list of files, never whole `dist` folders.

Prefix = the package's name on npm, so `{% static "htmx.org/dist/htmx.min.js" %}`. Collecting
the whole folders takes minutes and carries files no page asks for.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage

FILES = (
    "bootstrap/dist/css/bootstrap.min.css",
    "bootstrap/dist/css/bootstrap.min.css.map",
    "bootstrap/dist/js/bootstrap.bundle.min.js",
    "bootstrap/dist/js/bootstrap.bundle.min.js.map",
    "bootstrap-icons/font/bootstrap-icons.min.css",
    "bootstrap-icons/font/fonts/bootstrap-icons.woff",
    "bootstrap-icons/font/fonts/bootstrap-icons.woff2",
    "htmx.org/dist/htmx.min.js",
    "video.js/dist/video-js.min.css",
    "video.js/dist/video.min.js",
    "video.js/dist/lang/zh-CN.js",
)
INSTALL_HINT = "前端组件尚未安装，请运行 script/bootstrap"


class FrontEndFinder(BaseFinder):
    """Find the listed files under `settings.NODE_MODULES`.

    Raises ImproperlyConfigured when a listed file is missing: a page without its style sheet
    would otherwise be a silent 404.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.root = Path(settings.NODE_MODULES)
        self.storage = FileSystemStorage(location=self.root)

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        if path not in FILES:
            return []
        found = str(self._existing(path))
        return [found] if find_all else found

    def list(
        self, ignore_patterns: Iterable[str] | None
    ) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in FILES:
            self._existing(name)
            yield name, self.storage

    def _existing(self, name: str) -> Path:
        path = self.root / name
        if not path.is_file():
            raise ImproperlyConfigured(f"{INSTALL_HINT}: {name}")
        return path
