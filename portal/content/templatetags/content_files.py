from pathlib import PurePosixPath

from django import template

register = template.Library()

KINDS = {
    ".pdf": "pdf",
    ".doc": "doc",
    ".docx": "doc",
    ".xls": "xls",
    ".xlsx": "xls",
    ".zip": "zip",
}


@register.filter
def file_kind(name: str) -> str:
    """Return the kind of a file by its name: pdf, doc, xls, zip or file."""
    return KINDS.get(PurePosixPath(name).suffix.lower(), "file")
