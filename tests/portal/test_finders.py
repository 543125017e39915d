from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from portal.finders import FILES, FrontEndFinder


def test_every_listed_file_is_installed() -> None:
    assert [name for name, _storage in FrontEndFinder().list(None)] == list(FILES)


def test_only_listed_files_are_found(settings: Settings) -> None:
    finder = FrontEndFinder()

    found = finder.find("htmx.org/dist/htmx.min.js")

    assert found == str(settings.NODE_MODULES / "htmx.org/dist/htmx.min.js")
    assert finder.find("htmx.org/dist/htmx.js") == []
    assert finder.find("htmx.org/package.json") == []
    assert finder.find("../pyproject.toml") == []


def test_a_missing_file_is_an_error_and_not_a_silent_404(
    settings: Settings, tmp_path: Path
) -> None:
    settings.NODE_MODULES = tmp_path
    finder = FrontEndFinder()

    with pytest.raises(ImproperlyConfigured, match="script/bootstrap"):
        finder.find(FILES[0])
    with pytest.raises(ImproperlyConfigured, match="script/bootstrap"):
        list(finder.list(None))
