"""Codes of authenticator apps, recovery codes, and the device of a lost phone."""

from datetime import timedelta

import pytest
from django_otp.oath import hotp

from accounts.errors import (
    OwnDeviceError,
    SecondFactorRefusedError,
    SecondFactorThrottledError,
)
from accounts.models import AuditEntry, PersonSession, RecoveryCode, StaffDevice
from accounts.rules.second_factor import (
    find_step,
    make_otpauth_uri,
    read_recovery_code,
    spell_recovery_code,
    spell_secret,
    step_at,
)
from accounts.services.second_factor import (
    check_second_factor,
    enrol_device,
    reset_device,
)
from accounts.services.sessions import begin_session
from tests.factories.accounts import UserFactory

SECRET = b"12345678901234567890"
STEP = timedelta(seconds=30)
MINUTE = timedelta(minutes=1)


def code_at(moment, secret=SECRET):
    return f"{hotp(secret, step_at(moment)):06d}"


def wrong_code(moment):
    return f"{(int(code_at(moment)) + 1) % 1000000:06d}"


# --- Rules ---------------------------------------------------------------------------------
def test_codes_are_those_of_the_standard(now):
    """RFC 6238, appendix B: 59 seconds after the epoch the last six digits are 287082."""
    moment = now.fromtimestamp(59, tz=now.tzinfo)

    assert find_step(SECRET, "287082", after=-1, now=moment) == 1


@pytest.mark.parametrize(
    ("steps", "is_right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_clocks_may_differ_by_one_step(now, steps, is_right):
    found = find_step(SECRET, code_at(now + steps * STEP), after=-1, now=now)

    assert (found is not None) == is_right


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "１２３４５６", "²²²²²²", "-12345"]
)
def test_what_is_no_code(now, code):
    assert find_step(SECRET, code, after=-1, now=now) is None


def test_a_code_is_used_up(now):
    step = find_step(SECRET, code_at(now), after=-1, now=now)

    assert find_step(SECRET, code_at(now), after=step, now=now) is None
    assert find_step(SECRET, code_at(now + STEP), after=step, now=now) == step + 1


def test_the_app_is_told_everything_it_needs():
    uri = make_otpauth_uri(SECRET, account="zhongxin", issuer="重庆人社培训网")

    assert uri.startswith("otpauth://totp/%E9%87%8D")
    assert "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&" in uri
    assert uri.endswith("&algorithm=SHA1&digits=6&period=30")
    assert spell_secret(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


@pytest.mark.parametrize(
    "typed", ["ABCDE-01234", "abcde-01234", " ABCDE 01234 ", "ABCDEOI234"]
)
def test_recovery_codes_are_read_as_people_type(typed):
    assert read_recovery_code(typed) == "ABCDE01234"
    assert spell_recovery_code("ABCDE01234") == "ABCDE-01234"


# --- Binding -------------------------------------------------------------------------------
@pytest.fixture
def enrolled(staff, now):
    return enrol_device(person=staff, secret=SECRET, code=code_at(now), now=now)


@pytest.mark.django_db
def test_a_right_code_binds_the_app(staff, now):
    enrolled = enrol_device(person=staff, secret=SECRET, code=code_at(now), now=now)

    device = StaffDevice.objects.get()
    assert (device, device.user, device.secret) == (enrolled.device, staff, SECRET)
    assert device.enrolled_at == now
    assert len(set(enrolled.recovery_codes)) == 10
    assert RecoveryCode.objects.count() == 10
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("second_factor.enrolled", staff)


@pytest.mark.django_db
def test_secret_and_recovery_codes_do_not_stand_in_the_database(enrolled):
    stored = bytes(StaffDevice.objects.get().secret_cipher)
    hashes = set(RecoveryCode.objects.values_list("code_hash", flat=True))

    assert SECRET not in stored
    assert spell_secret(SECRET).replace(" ", "").encode() not in stored
    plain = {code.replace("-", "") for code in enrolled.recovery_codes}
    assert not any(code in text for code in plain for text in hashes)


@pytest.mark.django_db
def test_a_wrong_code_binds_nothing(staff, now):
    with pytest.raises(SecondFactorRefusedError):
        enrol_device(person=staff, secret=SECRET, code=wrong_code(now), now=now)

    assert StaffDevice.objects.count() == 0
    assert AuditEntry.objects.count() == 0


@pytest.mark.django_db
def test_a_second_app_does_not_take_the_place_of_the_first(staff, now, enrolled):
    other = b"a" * 20

    with pytest.raises(SecondFactorRefusedError):
        enrol_device(person=staff, secret=other, code=code_at(now, other), now=now)

    assert StaffDevice.objects.get().secret == SECRET


# --- Codes ---------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_code_opens_once(staff, now, enrolled):
    later = now + MINUTE
    device = check_second_factor(person=staff, code=code_at(later), now=later)
    assert (device, device.last_used_at) == (enrolled.device, later)

    with pytest.raises(SecondFactorRefusedError):
        check_second_factor(person=staff, code=code_at(later), now=later)


@pytest.mark.django_db
def test_the_code_that_bound_the_app_is_used_up(staff, now, enrolled):
    with pytest.raises(SecondFactorRefusedError):
        check_second_factor(person=staff, code=code_at(now), now=now)


@pytest.mark.django_db
def test_nobody_uses_the_app_of_somebody_else(now, enrolled):
    other = UserFactory(staff=True)
    later = now + MINUTE

    for code in (code_at(later), enrolled.recovery_codes[0]):
        with pytest.raises(SecondFactorRefusedError):
            check_second_factor(person=other, code=code, now=later)

    assert not RecoveryCode.objects.filter(used_at__isnull=False).exists()


@pytest.mark.django_db
def test_a_recovery_code_opens_once_and_is_audited(staff, now, enrolled):
    code = enrolled.recovery_codes[3].lower()

    assert check_second_factor(person=staff, code=code, now=now) == enrolled.device
    with pytest.raises(SecondFactorRefusedError):
        check_second_factor(person=staff, code=code, now=now)

    assert RecoveryCode.objects.filter(used_at=now).count() == 1
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert actions.count("second_factor.recovery_code_used") == 1


@pytest.mark.django_db
def test_guessing_is_throttled(staff, now, enrolled):
    later = now + MINUTE
    for _ in range(5):
        with pytest.raises(SecondFactorRefusedError):
            check_second_factor(person=staff, code=wrong_code(later), now=later)

    for code in (code_at(later), enrolled.recovery_codes[0]):
        with pytest.raises(SecondFactorThrottledError):
            check_second_factor(person=staff, code=code, now=later)

    after = later + 15 * MINUTE
    assert check_second_factor(person=staff, code=code_at(after), now=after)


# --- A lost phone --------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_colleague_resets_it(staff, now, enrolled):
    system = UserFactory(staff=True)
    begin_session(person=staff, user_agent="", address="", at_a_time=1, now=now)

    reset_device(person=staff, actor=system, reason="手机丢失", now=now + MINUTE)

    assert StaffDevice.objects.count() == RecoveryCode.objects.count() == 0
    assert PersonSession.objects.get().end_reason == "staff"
    entry = AuditEntry.objects.latest("position")
    assert (entry.action, entry.actor) == ("second_factor.reset", system)
    assert entry.target == f"user:{staff.code}"
    assert entry.detail == {"reason": "手机丢失"}


@pytest.mark.django_db
def test_nobody_resets_the_own_one(staff, now, enrolled):
    with pytest.raises(OwnDeviceError):
        reset_device(person=staff, actor=staff, reason="手机丢失", now=now)

    assert StaffDevice.objects.exists()
