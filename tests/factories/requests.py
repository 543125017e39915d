"""Requests with proofs, made by the services; pictures and PDFs to hand in."""

from io import BytesIO
from typing import Any

import pikepdf
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from accounts.models import PersonRequest, User
from accounts.services.proofs import Proof, read_proofs
from accounts.services.reference_data import load_roles
from accounts.services.requests import file_phone_request, file_request
from tests.factories.accounts import UserFactory, make_id_number, make_phone

UNIT_CODE = "91110000600037341L"


def make_picture(
    kind: str = "JPEG", size: tuple[int, int] = (320, 200), **options: Any
) -> bytes:
    """A picture of one colour; `options` go to Pillow, such as `exif`."""
    content = BytesIO()
    Image.new("RGB", size, "#c0392b").save(content, kind, **options)
    return content.getvalue()


def make_pdf(pages: int = 1, **root: Any) -> bytes:
    """A PDF of blank pages; `root` are entries of its catalogue."""
    content = BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page()
        for key, value in root.items():
            pdf.Root[f"/{key}"] = value
        pdf.save(content)
    return content.getvalue()


def upload(
    content: bytes | None = None, name: str = "身份证.jpg"
) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_picture() if content is None else content)


def make_proofs(count: int = 1) -> list[Proof]:
    return read_proofs([upload() for _ in range(count)])


def make_staff(role: str, **values: Any) -> User:
    """A member of the staff with one role."""
    load_roles()
    person = UserFactory(staff=True, **values)
    person.groups.add(Group.objects.get(name=role))
    return person


def file_name_change(person: User, *, now: Any, name: str = "赵易") -> PersonRequest:
    return file_request(
        kind=PersonRequest.Kind.NAME_CHANGE,
        person=person,
        wanted={"name": name},
        proofs=make_proofs(),
        actor=person,
        now=now,
    )


def file_number_change(person: User, *, now: Any, number: int = 7001) -> PersonRequest:
    return file_request(
        kind=PersonRequest.Kind.NUMBER_CHANGE,
        person=person,
        wanted={"id_number": make_id_number(number)},
        proofs=make_proofs(),
        actor=person,
        now=now,
    )


def file_appointment(person: User, *, now: Any, **wanted: str) -> PersonRequest:
    """For 重庆市示例学校 of 渝中区, unless told otherwise; regions must be loaded."""
    return file_request(
        kind=PersonRequest.Kind.APPOINTMENT,
        person=person,
        wanted={
            "region": "500103",
            "unit_name": "重庆市示例学校",
            "credit_code": UNIT_CODE,
        }
        | wanted,
        proofs=make_proofs(),
        actor=person,
        now=now,
    )


def file_lost_phone(person: User, *, now: Any, phone: int = 7002) -> PersonRequest:
    """By a stranger who states the person's name and number."""
    return file_phone_request(
        wanted={
            "name": person.name,
            "id_number": person.id_number,
            "phone": make_phone(phone),
            "contact": "",
        },
        proofs=make_proofs(),
        now=now,
    )
