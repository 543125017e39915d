"""Files that are no list: a clear reason, nothing kept, and the worker goes on."""

import random
import time
from collections.abc import Callable

import pytest

from accounts.models import ListRow, PrivateFile, RegistrationList
from accounts.services.files import read_private_file
from accounts.services.lists import Upload, check_list, upload_list
from portal.lib.sheet_package import MESSAGES, Refusal
from portal.lib.sheet_reading import read_sheet
from tests.accounts.test_documents import assert_only_text
from tests.factories.lists import make_checked_list, make_lines
from tests.factories.sheets import (
    HEAD_2026,
    Raw,
    make_book,
    make_list,
    make_parts,
    make_person,
    make_row,
    make_sheet,
    pack,
)

pytestmark = pytest.mark.django_db
State = RegistrationList.State
SECONDS = 10


def make_bomb() -> bytes:
    parts = make_parts(make_sheet(make_row(1, "甲"), tail=" " * 150_000_000))
    return pack(parts)


def make_macro_book() -> bytes:
    parts = make_parts(make_sheet(make_row(1, "甲"))) | {"xl/vbaProject.bin": b"x"}
    return pack(parts)


def make_locked_zip() -> bytes:
    content = bytearray(make_list(make_person(0)))
    content[content.find(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def make_entity_book() -> bytes:
    parts = make_parts(make_sheet(make_row(1, "甲")))
    sheet = parts["xl/worksheets/sheet1.xml"]
    return pack(parts | {"xl/worksheets/sheet1.xml": f"<!DOCTYPE x []>{sheet!s}"})


def make_noise() -> bytes:
    return b"PK\x03\x04" + random.Random(7).randbytes(5 * 1024 * 1024 - 4)


def make_far_corner() -> bytes:
    return make_book(HEAD_2026, ["甲"], [Raw('<c r="XFD3"><v>1</v></c>')])


@pytest.fixture
def given(unit, coordinator, now):
    return {"unit": unit, "coordinator": coordinator, "now": now}


@pytest.fixture
def hand_in_and_check(given, django_capture_on_commit_callbacks):
    """The list of this file as the check left it, and where the file was stored."""

    def hand_in_and_check(content: bytes) -> tuple[RegistrationList, PrivateFile]:
        with django_capture_on_commit_callbacks(execute=True):
            row = upload_list(
                upload=Upload(unit=given["unit"], content=content),
                actor=given["coordinator"],
                now=given["now"],
            )
            file = row.file
            check_list(list_id=row.pk, clock=lambda: given["now"])
        row.refresh_from_db()
        return row, file

    return hand_in_and_check


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (make_bomb, Refusal.BOMB),
        (make_macro_book, Refusal.MACROS),
        (make_locked_zip, Refusal.ENCRYPTED),
        (make_entity_book, Refusal.UNSAFE),
        (make_noise, Refusal.DAMAGED),
        (make_far_corner, Refusal.TOO_MANY_COLUMNS),
        (lambda: make_book(["甲"] * 10_001), Refusal.TOO_MANY_COLUMNS),
        (lambda: pack({"word/document.xml": "<d/>"}), Refusal.NOT_A_SHEET),
        (make_book, Refusal.EMPTY),
    ],
)
def test_a_bad_file_is_refused_with_its_reason_and_nothing_is_kept(
    hand_in_and_check, given, make: Callable[[], bytes], reason: Refusal
):
    content = make()
    start = time.process_time()

    row, file = hand_in_and_check(content)

    assert time.process_time() - start < SECONDS
    assert (row.state, row.reason) == (State.REFUSED, MESSAGES[reason])
    assert (row.ended_at, row.lease_until) == (given["now"], None)
    assert (row.file, row.error_file, row.head) == (None, None, {})
    assert ListRow.objects.count() == 0
    assert PrivateFile.objects.count() == 0
    assert not file.file.storage.exists(file.file.name)
    assert make_checked_list(make_lines(1), **given).valid_count == 1


def test_rows_that_killed_workers_left_go_with_the_file(given):
    """Each of them wrote a part and died; the fifth gives up."""
    row = make_checked_list(make_lines(2), **given)
    RegistrationList.objects.filter(pk=row.pk).update(state=State.CHECKING, tries=4)

    check_list(list_id=row.pk, clock=lambda: given["now"])

    row.refresh_from_db()
    assert (row.state, row.file) == (State.REFUSED, None)
    assert row.rows.count() == 0


def test_formulas_and_control_characters_are_text_in_the_error_file(hand_in_and_check):
    content = make_list(
        make_person(0, name="=HYPERLINK(1)"),
        make_person(1, name="张_x0007_三", phone="+1", remark="@SUM(A1)"),
        make_person(2, name=Raw('<c r="B7" t="str"><f>A1</f><v>=1+1</v></c>')),
    )

    row, _ = hand_in_and_check(content)

    assert (row.state, row.row_count, row.valid_count) == (State.CHECKED, 3, 0)
    sheet = read_private_file(row.error_file)
    assert_only_text(sheet)
    people = [[cell.text for cell in line.cells] for line in read_sheet(sheet)[4:]]
    assert [person[1] for person in people] == ["=HYPERLINK(1)", "张三", "=1+1"]
