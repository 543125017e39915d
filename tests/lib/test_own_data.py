import json
import zipfile
from datetime import UTC, datetime
from io import BytesIO

from portal.lib.own_data import Section, describe_moment, pack_sections

MADE_AT = datetime(2026, 6, 15, 2, 0, tzinfo=UTC)


def test_an_archive_for_people_and_for_programs():
    section = Section("things", "东西", {"a": "甲", "b": "乙"}, [("1", "=1+1")])

    content = pack_sections([section], page="<p>您好</p>", made_at=MADE_AT)

    archive = zipfile.ZipFile(BytesIO(content))
    assert archive.read("我的数据.html").decode() == "<p>您好</p>"
    assert json.loads(archive.read("data.json")) == {
        "made_at": "2026-06-15T02:00:00+00:00",
        "sections": {
            "things": {
                "title": "东西",
                "labels": {"a": "甲", "b": "乙"},
                "rows": [{"a": "1", "b": "=1+1"}],
            }
        },
    }


def test_the_same_data_make_the_same_archive():
    first, second = (pack_sections([], page="", made_at=MADE_AT) for _ in range(2))

    assert first == second


def test_moments():
    assert describe_moment(MADE_AT) == "2026-06-15 02:00:00+0000"
    assert describe_moment(None) == ""
