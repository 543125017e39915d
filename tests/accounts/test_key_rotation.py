"""The rotation of keys: every place, idempotent, killed at any row, beside a busy portal."""

import base64
from io import StringIO
from pathlib import PurePosixPath

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import BinaryField, QuerySet

from accounts import personal_data
from accounts.models import AuditEntry, Message, PrivateFile, User
from accounts.services import key_rotation
from accounts.services.files import read_private_file, store_private_file
from accounts.services.key_rotation import count_old, list_places, rotate_place
from accounts.services.messages import send_message
from portal.lib.crypto import read_key_id
from tests.factories.accounts import UserFactory, make_phone

OLD = "k1:" + base64.b64encode(b"o" * 32).decode()
NEW = "k2:" + base64.b64encode(b"n" * 32).decode()


@pytest.fixture(autouse=True)
def set_keys(settings):
    """A function that gives the portal other keys; the old one is set at the start."""

    def give(keys):
        settings.FIELD_KEYS = keys
        personal_data.cipher.cache_clear()

    give(OLD)
    yield give
    personal_data.cipher.cache_clear()


@pytest.fixture
def place():
    """The place of the users' phones."""
    return next(p for p in list_places() if p.label == "accounts.user.phone_cipher")


def key_ids():
    return sorted(
        read_key_id(token)
        for token in User.objects.values_list("phone_cipher", flat=True)
    )


def run(*arguments):
    output = StringIO()
    call_command("rotate_keys", *arguments, stdout=output)
    return output.getvalue()


def test_every_ciphertext_column_is_declared():
    """A model that keeps ciphertext without declaring it would lose it with the old key."""
    columns = {
        f"{model._meta.label_lower}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, BinaryField)
    }

    declared = {place.label for place in list_places()}
    assert columns - declared == set()
    assert "accounts.privatefile.file" in declared


def test_everything_is_made_anew_and_stays_readable(db, set_keys, now):
    person = UserFactory(phone=make_phone(7), id_number="")
    send_message(
        channel="sms",
        recipient=make_phone(7),
        template="password_changed",
        context={},
        now=now,
    )
    file = store_private_file(
        content=b"list",
        name="a.xlsx",
        content_type="x",
        purpose=PrivateFile.Purpose.LIST,
        owner=person,
        now=now,
    )
    old_name = file.file.name
    set_keys(f"{NEW},{OLD}")

    output = run()

    assert "accounts.user.phone_cipher：已更新 1 项，无法读取 0 项，剩余 0 项" in output
    assert "旧密钥可以删除" in output
    set_keys(NEW)
    assert User.objects.get().phone == make_phone(7)
    assert User.objects.get().id_number == ""
    assert Message.objects.get().recipient == make_phone(7)
    assert read_private_file(PrivateFile.objects.get()) == b"list"
    assert not file.file.storage.exists(old_name)
    # Who had read the row before still finds the file.
    assert read_private_file(file) == b"list"
    entry = AuditEntry.objects.get(action="personal_data.keys_rotated")
    assert (entry.target, entry.detail) == (
        "key:k2",
        {"resealed": 4, "remaining": 0},
    )


def test_a_second_run_changes_nothing_and_is_noted(db, set_keys):
    UserFactory()
    set_keys(f"{NEW},{OLD}")
    run()
    before = list(User.objects.values())

    output = run()

    assert "accounts.user.phone_cipher：已更新 0 项" in output
    assert list(User.objects.values()) == before
    # The first may have been killed before it could write its entry.
    notes = AuditEntry.objects.order_by("position").values_list("detail", flat=True)
    assert list(notes) == [
        {"resealed": 2, "remaining": 0},
        {"resealed": 0, "remaining": 0},
    ]


def test_killed_in_the_middle_it_goes_on_with_the_rest(
    db, set_keys, monkeypatch, place
):
    UserFactory.create_batch(6)
    set_keys(f"{NEW},{OLD}")
    monkeypatch.setattr(key_rotation, "CHUNK", 2)
    reseal = key_rotation._reseal_column
    done = []

    def die_after_three(where, row):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(row.pk)
        return reseal(where, row)

    monkeypatch.setattr(key_rotation, "_reseal_column", die_after_three)
    with pytest.raises(KeyboardInterrupt):
        rotate_place(place)
    assert key_ids() == ["k1"] * 3 + ["k2"] * 3
    monkeypatch.setattr(key_rotation, "_reseal_column", reseal)

    outcome = rotate_place(place)

    assert (outcome.resealed, outcome.remaining) == (3, 0)
    assert key_ids() == ["k2"] * 6


def test_a_row_changed_meanwhile_keeps_the_change(db, set_keys, monkeypatch, place):
    person = UserFactory(phone=make_phone(1))
    set_keys(f"{NEW},{OLD}")
    reseal = key_rotation._reseal_column

    def change_before(where, row):
        fresh = User.objects.get(pk=row.pk)
        fresh.store_phone(make_phone(2))
        fresh.save()
        return reseal(where, row)

    monkeypatch.setattr(key_rotation, "_reseal_column", change_before)

    outcome = rotate_place(place)

    assert (outcome.resealed, outcome.unreadable, outcome.remaining) == (0, 0, 0)
    person.refresh_from_db()
    assert person.phone == make_phone(2)


@pytest.fixture
def file(db, now):
    return store_private_file(
        content=b"list",
        name="a.xlsx",
        content_type="x",
        purpose=PrivateFile.Purpose.LIST,
        owner=None,
        now=now,
    )


def list_stored(file):
    """The names of the ciphertexts that lie in the folder of this one."""
    folder = str(PurePosixPath(file.file.name).parent)
    return set(file.file.storage.listdir(folder)[1])


def test_killed_between_a_new_file_and_its_row_it_loses_nothing(
    file, set_keys, monkeypatch
):
    set_keys(f"{NEW},{OLD}")
    place = next(p for p in list_places() if p.is_file)

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "update", die)
        with pytest.raises(KeyboardInterrupt):
            rotate_place(place)

    assert read_private_file(PrivateFile.objects.get()) == b"list"
    assert count_old(place) == 1
    assert rotate_place(place).resealed == 1
    set_keys(NEW)
    assert read_private_file(PrivateFile.objects.get()) == b"list"


def test_a_file_that_is_deleted_meanwhile_does_not_come_back(
    file, set_keys, monkeypatch
):
    before = list_stored(file)
    set_keys(f"{NEW},{OLD}")
    place = next(p for p in list_places() if p.is_file)
    update = QuerySet.update

    def delete_before(rows, **values):
        PrivateFile.objects.all()._raw_delete("default")
        return update(rows, **values)

    monkeypatch.setattr(QuerySet, "update", delete_before)

    assert rotate_place(place).resealed == 0
    assert list_stored(file) == before


def test_check_counts_and_changes_nothing(db, set_keys):
    UserFactory.create_batch(2)
    set_keys(f"{NEW},{OLD}")
    before = list(User.objects.values())
    output = StringIO()

    with pytest.raises(CommandError, match="仍有 4 项使用旧密钥"):
        call_command("rotate_keys", "--check", stdout=output)

    assert "accounts.user.phone_cipher：旧密钥 2 项" in output.getvalue()
    assert list(User.objects.values()) == before


def test_check_after_the_rotation(db, set_keys):
    UserFactory()
    set_keys(f"{NEW},{OLD}")
    run()

    assert "旧密钥可以删除" in run("--check")


def test_what_no_key_opens_is_named_and_left(db, set_keys, place, caplog):
    good, bad = UserFactory(), UserFactory()
    User.objects.filter(pk=bad.pk).update(phone_cipher=b"k0:something else")
    set_keys(f"{NEW},{OLD}")

    outcome = rotate_place(place)

    assert (outcome.resealed, outcome.unreadable, outcome.remaining) == (1, 1, 1)
    assert caplog.records[-1].row == bad.pk
    assert User.objects.get(pk=good.pk).phone == good.phone
    with pytest.raises(CommandError, match="仍有 1 项"):
        run()


def test_a_lost_file_is_no_reason_to_stop(db, set_keys, now):
    file = store_private_file(
        content=b"x",
        name="a",
        content_type="x",
        purpose=PrivateFile.Purpose.LIST,
        owner=None,
        now=now,
    )
    file.file.storage.delete(file.file.name)
    set_keys(f"{NEW},{OLD}")
    place = next(p for p in list_places() if p.is_file)

    assert count_old(place) == 0
    assert rotate_place(place).resealed == 0


def test_a_new_key_id_that_begins_like_the_old_one(db, set_keys, place):
    """k1 and k11: the colon tells them apart."""
    UserFactory()
    set_keys(f"{NEW.replace('k2', 'k11')},{OLD}")

    assert count_old(place) == 1
    assert rotate_place(place).resealed == 1
    assert key_ids() == ["k11"]
