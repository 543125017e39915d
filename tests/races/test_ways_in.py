"""Two who do the same at the same moment: one account, one phone, one answer, one departure."""

from datetime import timedelta

import pytest
from captcha.models import CaptchaStore

from accounts.errors import (
    AccountMovedError,
    AccountsError,
    ActivationEndedError,
    ClosingRefusedError,
    CodeRefusedError,
    ExportThrottledError,
    PhoneTakenError,
)
from accounts.models import AuditEntry, Consent, User, VerificationCode
from accounts.services import activation, closing, phones
from accounts.services.activation import FirstLogin, activate_person
from accounts.services.audit import find_chain_fault
from accounts.services.captchas import make_challenge, make_pass, use_answer, use_pass
from accounts.services.closing import close_account
from accounts.services.codes import send_code
from accounts.services.exports import allow_export
from accounts.services.phones import PhoneChange, change_phone
from tests.factories.accounts import (
    PASSWORD,
    UnitAppointmentFactory,
    UnitFactory,
    UserFactory,
    make_phone,
)
from tests.races.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "nanshan-huaihai-1901"


def at_once(*actions):
    """Do all at one moment; the outcome of each, or the class of its refusal."""
    outcomes = run_together(*actions, refusals=(AccountsError,))
    return [
        type(each) if isinstance(each, AccountsError) else each for each in outcomes
    ]


def make_pending(now):
    return UserFactory(
        pending=True, password=None, pending_until=now + timedelta(days=30)
    )


def test_one_code_activates_once(now, monkeypatch):
    person = make_pending(now)
    monkeypatch.setattr("secrets.choice", lambda choices: choices[0])
    send_code(
        phone=person.phone,
        purpose=VerificationCode.Purpose.ACTIVATE,
        browser="b",
        address="",
        now=now,
    )
    monkeypatch.undo()

    outcomes = at_once(*[lambda: activate(person, "000000", now)] * 4)

    assert outcomes.count(person) == 1
    assert set(outcomes) <= {person, CodeRefusedError, ActivationEndedError}
    assert Consent.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def activate(person, code, now):
    return activate_person(
        person_code=person.code,
        first_login=FirstLogin(
            code=code, password=NEW, consents={"privacy": "2026-01"}
        ),
        browser="b",
        address="",
        now=now,
    )


def test_two_codes_activate_once(now, monkeypatch):
    """Two browsers, both with a right code of their own."""
    person = make_pending(now)
    monkeypatch.setattr(activation, "check_code", lambda **kwargs: None)

    outcomes = at_once(*[lambda: activate(person, "any", now)] * 4)

    assert outcomes.count(person) == 1
    assert outcomes.count(ActivationEndedError) == 3
    assert Consent.objects.count() == 1
    assert AuditEntry.objects.count() == 1
    person.refresh_from_db()
    assert person.state == User.State.ACTIVE


def test_two_people_want_one_phone(now, monkeypatch):
    monkeypatch.setattr(phones, "check_code", lambda **kwargs: None)
    people = [UserFactory() for _ in range(4)]
    change = PhoneChange(phone=make_phone(8300), code="any", password=PASSWORD)

    outcomes = at_once(
        *[
            lambda person=person: change_phone(
                person=person, change=change, browser="b", now=now
            )
            for person in people
        ]
    )

    assert outcomes.count(PhoneTakenError) == 3
    assert User.objects.filter(phone_index__isnull=False).count() == 4
    assert AuditEntry.objects.count() == 1
    assert find_chain_fault() is None


def test_two_last_coordinators_do_not_leave_together(now, monkeypatch):
    monkeypatch.setattr(closing, "check_code", lambda **kwargs: None)
    unit = UnitFactory()
    people = [UserFactory(), UserFactory()]
    for person in people:
        UnitAppointmentFactory(unit=unit, person=person)

    outcomes = at_once(
        *[
            lambda person=person: close_account(
                person=person, password=PASSWORD, code="any", browser="b", now=now
            )
            for person in people
        ]
    )

    assert outcomes.count(ClosingRefusedError) == 1
    assert User.objects.filter(state=User.State.CLOSED).count() == 1
    assert unit.appointments.filter(ended_at=None).count() == 1


def test_no_phone_is_left_on_an_account_that_closes(now, monkeypatch):
    """Stored on a closed account it could never be registered again."""
    monkeypatch.setattr(closing, "check_code", lambda **kwargs: None)
    monkeypatch.setattr(phones, "check_code", lambda **kwargs: None)
    people = [UserFactory() for _ in range(4)]

    def close(person):
        return close_account(
            person=person, password=PASSWORD, code="any", browser="b", now=now
        )

    def change(person, phone):
        wanted = PhoneChange(phone=phone, code="any", password=PASSWORD)
        return change_phone(person=person, change=wanted, browser="b", now=now)

    for place, person in enumerate(people):
        fresh = User.objects.get(pk=person.pk)
        phone = make_phone(8310 + place)
        closed, changed = at_once(
            lambda person=person: close(person),
            lambda person=fresh, phone=phone: change(person, phone),
        )
        # Whichever came first, the other is refused.
        assert [closed, changed].count(AccountMovedError) == 1
        person.refresh_from_db()
        if closed is AccountMovedError:
            assert (person.state, person.phone) == (User.State.ACTIVE, phone)
        else:
            assert (person.state, person.phone_index) == (User.State.CLOSED, None)
    assert AuditEntry.objects.count() == len(people)


def test_one_answer_to_a_captcha_is_used_once(now):
    key = make_challenge(now=now)
    answer = CaptchaStore.objects.get(hashkey=key).response

    outcomes = at_once(*[lambda: use_answer(key=key, answer=answer, now=now)] * 6)

    assert sorted(outcomes) == [False] * 5 + [True]


def test_one_pass_is_used_once(now):
    key = make_pass(now=now)

    outcomes = at_once(*[lambda: use_pass(key=key, now=now)] * 6)

    assert sorted(outcomes) == [False] * 5 + [True]


def test_no_fourth_archive(now):
    person = UserFactory()

    outcomes = at_once(
        *[lambda: allow_export(person=person, password=PASSWORD, now=now)] * 5
    )

    assert outcomes.count(None) == 3
    assert outcomes.count(ExportThrottledError) == 2
    assert AuditEntry.objects.count() == 3
