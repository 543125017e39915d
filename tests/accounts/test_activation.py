from datetime import timedelta

import pytest

from accounts.errors import (
    ActivationEndedError,
    CodeRefusedError,
    PasswordRefusedError,
)
from accounts.models import AuditEntry, Consent, User, VerificationCode
from accounts.services import activation
from accounts.services.activation import FirstLogin, activate_person
from accounts.services.codes import send_code
from accounts.services.drafts import (
    ACTIVATION_LIFETIME,
    Activation,
    open_activation,
    seal_activation,
)
from accounts.services.login import check_login
from tests.factories.accounts import make_phone

ADDRESS = "203.0.113.7"
NEW = "nanshan-huaihai-1901"
CONSENTS = {"privacy": "2026-01", "sensitive": "2026-01"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(pending):
    return pending()


@pytest.fixture
def code(person, now, read_code):
    send_code(
        phone=person.phone,
        purpose=VerificationCode.Purpose.ACTIVATE,
        browser="b",
        address=ADDRESS,
        now=now,
    )
    return read_code()


def activate(person, code, now, *, password=NEW, browser="b"):
    return activate_person(
        person_code=person.code,
        first_login=FirstLogin(code=code, password=password, consents=CONSENTS),
        browser=browser,
        address=ADDRESS,
        now=now,
    )


def assert_untouched(person):
    fresh = User.objects.get(pk=person.pk)
    assert (fresh.state, fresh.password) == (person.state, person.password)
    assert fresh.pending_until == person.pending_until
    assert Consent.objects.count() == 0
    assert AuditEntry.objects.count() == 0


def test_the_account_becomes_its_owners(person, code, now):
    activate(person, code, now)

    person.refresh_from_db()
    assert person.state == User.State.ACTIVE
    assert person.pending_until is None
    assert person.check_password(NEW)
    rows = Consent.objects.filter(person=person).order_by("kind")
    assert [(row.kind, row.version, row.given_at, row.address) for row in rows] == [
        ("privacy", "2026-01", now, ADDRESS),
        ("sensitive", "2026-01", now, ADDRESS),
    ]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("account.activated", person)
    assert (entry.target, entry.detail) == (f"user:{person.code}", {})
    for account in (person.phone, person.id_number):
        entered = check_login(account=account, password=NEW, address=ADDRESS, now=now)
        assert entered == person


def test_a_wrong_code(person, code, now):
    wrong = f"{(int(code) + 1) % 1000000:06d}"

    with pytest.raises(CodeRefusedError):
        activate(person, wrong, now)

    assert_untouched(person)


def test_a_code_of_another_browser(person, code, now):
    with pytest.raises(CodeRefusedError):
        activate(person, code, now, browser="another")

    assert_untouched(person)


@pytest.mark.parametrize(
    "password", ["short", "password", "edu@{last}", "{phone}", "x{number}"]
)
def test_a_weak_password_uses_up_no_code(person, code, now, password):
    password = password.format(
        last=person.id_number[-6:], phone=person.phone, number=person.id_number
    )

    with pytest.raises(PasswordRefusedError):
        activate(person, code, now, password=password)

    assert_untouched(person)
    activate(person, code, now)


def test_not_after_the_end(person, code, now):
    User.objects.filter(pk=person.pk).update(pending_until=now)
    person.refresh_from_db()

    with pytest.raises(ActivationEndedError):
        activate(person, code, now)

    assert_untouched(person)


@pytest.mark.parametrize("state", [User.State.ACTIVE, User.State.CLOSED])
def test_only_pending_accounts(person, code, now, state):
    User.objects.filter(pk=person.pk).update(state=state)
    person.refresh_from_db()

    with pytest.raises(ActivationEndedError):
        activate(person, code, now)

    assert_untouched(person)


def test_the_phone_may_not_change_in_between(person, code, now, monkeypatch):
    """Staff correct the phone while the code that went to the old one is being checked."""
    checked = activation.check_code

    def check_and_change(**kwargs):
        checked(**kwargs)
        other = User.objects.get(pk=person.pk)
        other.store_phone(make_phone(8123))
        other.save()

    monkeypatch.setattr(activation, "check_code", check_and_change)

    with pytest.raises(ActivationEndedError):
        activate(person, code, now)

    assert_untouched(person)


# --- Between the pages ---------------------------------------------------------------------
def test_what_lies_in_the_session_is_sealed_for_one_browser_and_a_while(now):
    activation = Activation(person_code="code", opened_at=now, next_url="/space/")
    sealed = seal_activation(activation, browser="mine")
    end = now + ACTIVATION_LIFETIME

    assert timedelta(minutes=15) == ACTIVATION_LIFETIME
    last = end - timedelta(seconds=1)
    assert open_activation(sealed, browser="mine", now=last) == activation
    assert open_activation(sealed, browser="mine", now=end) is None
    assert open_activation(sealed, browser="another", now=now) is None
    assert open_activation(sealed[:-4], browser="mine", now=now) is None
    assert open_activation("", browser="mine", now=now) is None
    assert "space" not in sealed
