"""Every template compiles, finds its files and obeys the strict content security policy."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template import engines

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in ROOT.rglob("*.html"))
STATIC = re.compile(r"""\{%\s*static\s+["']([^"'{]+)["']""")
INLINE = {
    "style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "style element": re.compile(r"<style\b", re.IGNORECASE),
    "event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "inline script": re.compile(r"<script\b(?![^>]*\bsrc=)", re.IGNORECASE),
    "script address": re.compile(r"javascript:", re.IGNORECASE),
    "htmx script": re.compile(r"\shx-on[:-]|\shx-vals=[\"']js:", re.IGNORECASE),
    "another host": re.compile(r"""(?:src|href)=["'](?:https?:)?//""", re.IGNORECASE),
}
# Pages of PDF files, made by WeasyPrint and never sent to a browser.
PAPERS = ("certificates/papers/", "invoices/papers/")


def find_inline(text: str) -> list[str]:
    """Return the names of what the policy would block in a page with this source."""
    return [name for name, pattern in INLINE.items() if pattern.search(text)]


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_compiles(name):
    engines["django"].get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_has_nothing_inline(name):
    if not name.startswith(PAPERS):
        assert find_inline((ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_static_files_named_by_the_template_exist(name):
    named = STATIC.findall((ROOT / name).read_text())

    assert [path for path in named if finders.find(path) is None] == []


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ('<p style="color:red">', ["style attribute"]),
        ("<p\n class='x'\n style='x'>", ["style attribute"]),
        ("<style>p{}</style>", ["style element"]),
        ('<a href="#" onclick="go()">', ["event attribute"]),
        ("<script>go()</script>", ["inline script"]),
        ('<a href="javascript:go()">', ["script address"]),
        ('<a hx-on:click="go()">', ["htmx script"]),
        ('<script src="//cdn.example/x.js"></script>', ["another host"]),
        ('<script src="{% static "js/site.js" %}" defer></script>', []),
        ('<p class="online" data-on="x">style = on</p>', []),
    ],
)
def test_planted_faults_are_found(text, faults):
    assert find_inline(text) == faults


def test_compiling_finds_a_planted_fault():
    with pytest.raises(Exception, match="Invalid block tag"):
        engines["django"].from_string("{% no_such_tag %}")
