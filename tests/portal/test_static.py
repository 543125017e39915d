"""Every static address that a page can ask for leads to a file."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.templatetags.static import static
from pytest_django import Settings

from catalog.models import Course, FieldOfStudy, Plan, Subject
from portal.templatetags.portal_ui import course_cover, plan_cover

STATIC_TAG = re.compile(r"""{%\s*static\s+["']([^"']+)["']""")


def list_named_files(settings: Settings) -> list[str]:
    templates = Path(settings.BASE_DIR, "templates").rglob("*.html")
    texts = [template.read_text() for template in templates]
    return sorted({name for text in texts for name in STATIC_TAG.findall(text)})


def test_every_file_named_by_a_template_is_there(settings: Settings) -> None:
    names = list_named_files(settings)

    assert "css/site.css" in names
    assert [name for name in names if finders.find(name) is None] == []


@pytest.mark.parametrize("field", ["", *FieldOfStudy.values])
@pytest.mark.parametrize("subject", Subject.values)
@pytest.mark.parametrize("entry", Plan.Entry.values)
def test_every_plan_has_a_cover(field: str, subject: str, entry: int) -> None:
    address = plan_cover(Plan(field=field, subject=subject, entry=entry))

    assert finders.find(address.removeprefix(static(""))) is not None


@pytest.mark.parametrize("field", FieldOfStudy.values)
def test_every_course_has_a_cover(field: str) -> None:
    address = course_cover(Course(field=field))

    assert finders.find(address.removeprefix(static(""))) is not None


def test_files_can_be_collected_for_production(
    settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        }
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    assert (tmp_path / "staticfiles.json").is_file()
    assert list((tmp_path / "css").glob("site.????????????.css")) != []
