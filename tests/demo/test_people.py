"""The sample people, loaded as `manage.py demo` does, without the videos' files."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import UnitAppointment, User
from certificates.models import CertificateIssue
from learning.models import Enrolment, RefusedTime
from orders.models import Order
from portal.demo import LOGINS
from portal.demo.catalog import load_catalogue
from portal.demo.people import PEOPLE, id_number_of, load_people
from portal.lib.identity import parse_person_number

pytestmark = pytest.mark.django_db


@pytest.fixture
def now(settings: LazySettings, tmp_path: Path) -> datetime:
    settings.MEDIA_ROOT = tmp_path / "media"
    now = timezone.now()
    load_catalogue(now, with_videos=False)
    return now


def test_people_are_in_every_state_and_loading_again_changes_nothing(
    now: datetime,
) -> None:
    load_people(now)
    first = count_rows()
    load_people(now)

    assert count_rows() == first
    assert Counter(Order.objects.values_list("state", flat=True)) == {
        "paid": 9,
        "pending": 2,
    }
    assert Counter(Enrolment.objects.values_list("state", flat=True)) == {
        "completed": 5,
        "open": 4,
    }
    assert (
        list(CertificateIssue.objects.values_list("state", flat=True)) == ["ready"] * 4
    )
    assert UnitAppointment.objects.count() == 1
    assert RefusedTime.objects.count() == 0
    check_printed_logins()


def count_rows() -> list[int]:
    models = (User, Order, Enrolment, CertificateIssue, UnitAppointment)
    return [model._default_manager.count() for model in models]


def check_printed_logins() -> None:
    phones = {person.phone: person for person in User.objects.all()}
    for _role, login, password in LOGINS:
        person = phones.get(login) or User.objects.get(username=login)
        assert person.check_password(password)


def test_numbers_are_valid_and_of_nobody_living() -> None:
    for sample in PEOPLE:
        number = parse_person_number(
            id_number_of(sample), today=timezone.localdate(timezone.now())
        )
        assert number.birth_date is not None
        assert number.birth_date.year < 1905
        assert sample.phone.startswith("1990000000")
