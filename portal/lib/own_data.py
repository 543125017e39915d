"""What a person may take along: sections of plain text, packed as JSON into an archive."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

ZIP = "application/zip"


@dataclass(frozen=True)
class Section:
    """One table of a person's data: `columns` maps the key of a column to its label."""

    key: str
    title: str
    columns: Mapping[str, str]
    rows: Sequence[Sequence[str]]

    def as_json(self) -> dict[str, object]:
        names = tuple(self.columns)
        return {
            "title": self.title,
            "labels": dict(self.columns),
            "rows": [dict(zip(names, row, strict=True)) for row in self.rows],
        }


def describe_moment(moment: datetime | None) -> str:
    """A moment as people and programs read it; empty where there is none."""
    return f"{moment:%Y-%m-%d %H:%M:%S%z}" if moment else ""


def pack_sections(
    sections: Sequence[Section], *, page: str, made_at: datetime
) -> bytes:
    """A zip archive with the data for programs (`data.json`) and `page` for people."""
    content = {
        "made_at": made_at.isoformat(),
        "sections": {section.key: section.as_json() for section in sections},
    }
    output = BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (
            ("我的数据.html", page),
            ("data.json", json.dumps(content, ensure_ascii=False, indent=2)),
        ):
            entry = zipfile.ZipInfo(name, date_time=made_at.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, text)
    return output.getvalue()
