"""Where the numbers of a person must not stand: database, logs, broker, cache, addresses."""

import logging
import re
import zlib
from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import (
    Message,
    PersonRequest,
    RegistrationList,
    User,
    VerificationCode,
)
from accounts.services.lists import check_list, create_accounts
from accounts.services.messages import deliver_due_messages
from accounts.services.reference_data import load_regions
from portal.celery import app
from tests.clock import stopped
from tests.factories.accounts import UserFactory, make_id_number, make_phone
from tests.factories.lists import make_line, make_sheet
from tests.factories.requests import make_staff, upload

PHONE = make_phone(123456)
NUMBER = make_id_number(123456)
NEW_PHONE = make_phone(123457)
PASSWORD = "hongyadong-1900"
ADDRESS = "203.0.113.77"
REGISTER = reverse("accounts:register")
CONFIRM = reverse("accounts:register-confirm")
LOGIN = reverse("accounts:login")
SEND = reverse("accounts:send-code")


@pytest.fixture
def broker():
    """The real broker: tasks are sent and nobody takes them."""
    app.conf.task_always_eager = False
    app.control.purge()
    yield
    app.control.purge()
    app.conf.task_always_eager = True


def forms_of(secret):
    """The secret as it is, in hexadecimal, and in base64 wherever it may begin."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    for offset in range(3):
        encoded = b64encode(b"\x00" * offset + raw)
        yield encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4]


def dump_database():
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                for value in row:
                    is_bytes = isinstance(value, bytes | memoryview)
                    yield table, bytes(value) if is_bytes else str(value).encode()


def dump_files(folder):
    for path in Path(folder).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            yield str(path), path.name.encode() + content + unpack(content)


def unpack(content):
    """What Django's file cache has compressed behind the time a value ends."""
    start = content.find(b"\x78\x9c")
    try:
        return zlib.decompress(content[start:]) if start >= 0 else b""
    except zlib.error:
        return b""


def dump_redis():
    if not django_settings.REDIS_URL:
        return
    store = redis.Redis.from_url(django_settings.REDIS_URL)
    readers = {
        b"string": store.get,
        b"list": lambda key: b"".join(store.lrange(key, 0, -1)),
        b"hash": lambda key: repr(store.hgetall(key)).encode(),
        b"set": lambda key: repr(store.smembers(key)).encode(),
        b"zset": lambda key: repr(store.zrange(key, 0, -1)).encode(),
    }
    for key in store.scan_iter():
        yield key.decode(), key + readers[store.type(key)](key)


def dump_everything(log_text):
    yield from dump_database()
    yield from dump_files(django_settings.BROKER_FOLDER)
    yield from dump_files(django_settings.VAR_DIR / "cache")
    yield from dump_redis()
    yield "logs", log_text.encode()


def find_traces(secrets, log_text):
    return [
        (place, secret)
        for place, content in dump_everything(log_text)
        for secret in secrets
        if any(form in content for form in forms_of(secret))
    ]


def read_code():
    deliver_due_messages(clock=stopped(Message.objects.latest("pk").due_at))
    return re.search(r"验证码(\d{6})", Message.objects.latest("pk").text)[1]


@pytest.mark.django_db(transaction=True)
def test_a_life_leaves_no_number_anywhere(client, broker, caplog, capfd):
    load_regions()
    caplog.set_level(logging.INFO)
    addresses = []

    def visit(method, url, data=None):
        response = getattr(client, method)(url, data or {}, REMOTE_ADDR=ADDRESS)
        addresses.append(url)
        addresses.append(response.headers.get("Location", ""))
        return response

    visit("post", SEND, {"purpose": "register", "phone": PHONE})
    code = read_code()
    secrets = [PHONE, NUMBER, PASSWORD, code]
    form = {
        "name": "赵一",
        "id_number": NUMBER,
        "phone": PHONE,
        "code": code,
        "password": PASSWORD,
        "password_again": PASSWORD,
        "region": "500103",
        "unit_name": "示例学校",
        "agree_privacy": "on",
        "agree_sensitive": "on",
    }
    assert visit("post", REGISTER, form).url == CONFIRM
    visit("get", CONFIRM)
    assert find_traces(secrets, caplog.text) == []

    visit("post", CONFIRM)
    assert User.objects.count() == 1
    visit("get", reverse("accounts:profile"))
    visit("post", reverse("accounts:logout"))
    for account in (PHONE, NUMBER):
        visit("post", LOGIN, {"account": account, "password": "wrong"})
        response = visit("post", LOGIN, {"account": account, "password": PASSWORD})
        assert response.status_code == 302
        visit("post", reverse("accounts:logout"))
    visit("post", reverse("accounts:password-reset"), {"phone": PHONE, "code": "0"})
    visit("post", SEND, {"purpose": "login", "phone": PHONE})
    cache.set("probe", "the cache is looked at")

    printed = "".join(capfd.readouterr())
    assert find_traces(secrets, caplog.text + printed) == []
    assert [
        (address, secret)
        for address in addresses
        for secret in secrets
        if secret in address
    ] == []
    counters = [row for table, row in dump_database() if "throttle" in table]
    assert counters
    assert not any(ADDRESS.encode() in row for row in counters)


@pytest.mark.django_db(transaction=True)
def test_requests_leave_no_number_and_no_picture_anywhere(
    client, broker, caplog, capfd
):
    """Two numbers of a person, two phones, and what a file was called."""
    load_regions()
    caplog.set_level(logging.INFO)
    person = UserFactory(name="赵一", id_number=NUMBER, phone=PHONE)
    new_phone, new_number = make_phone(123457), make_id_number(123457)
    secrets = [PHONE, NUMBER, new_phone, new_number, "身份证正面"]
    visitor = {"REMOTE_ADDR": ADDRESS}
    # Posters of videos, for one, that other tests have left.
    older = {path for path, _ in dump_files(django_settings.MEDIA_ROOT)}

    client.post(SEND, {"purpose": "request", "phone": new_phone}, **visitor)
    code = read_code()
    form = {
        "name": "赵一",
        "id_number": NUMBER,
        "phone": new_phone,
        "code": code,
        "proofs": [upload(name=f"身份证正面{NUMBER}.jpg")],
    }
    sent = client.post(reverse("accounts:phone-lost"), form, **visitor)
    assert sent.url == reverse("accounts:phone-lost-sent")
    client.get(sent.url)
    client.force_login(person)
    filing = reverse("accounts:request-new", args=["number-change"])
    client.post(filing, {"id_number": new_number, "proofs": [upload()]})
    assert PersonRequest.objects.count() == 2

    for role in ("业务", "审核", "审核"):
        client.force_login(make_staff(role))
        for row in PersonRequest.objects.all():
            page = reverse("admin:accounts_personrequest_change", args=[row.pk])
            client.get(page)
            client.post(page, {"decision": "approve", "version": row.version})

    states = set(PersonRequest.objects.values_list("state", flat=True))
    assert states == {"approved"}
    cache.set("probe", "the cache is looked at")
    printed = "".join(capfd.readouterr())
    assert find_traces(secrets, caplog.text + printed) == []
    stored = dict(dump_files(django_settings.MEDIA_ROOT))
    new = [content for path, content in stored.items() if path not in older]
    assert new
    assert not any(b"JFIF" in content for content in new)


@pytest.mark.django_db(transaction=True)
def test_a_first_login_a_new_phone_and_an_end_leave_none_either(
    client, broker, caplog, capfd
):
    caplog.set_level(logging.INFO)
    now = timezone.now()
    person = UserFactory(
        id_number=NUMBER,
        phone=PHONE,
        pending=True,
        password=None,
        pending_until=now + timedelta(days=30),
    )
    first, secrets = f"edu@{NUMBER[-6:]}", [PHONE, NUMBER, NEW_PHONE, PASSWORD]

    def visit(url, data):
        return client.post(url, data, REMOTE_ADDR=ADDRESS)

    visit(LOGIN, {"account": NUMBER, "password": "edu@000000"})
    visit(LOGIN, {"account": NUMBER, "password": first})
    visit(SEND, {"purpose": "activate"})
    agreed = {"is_right": "on", "agree_privacy": "on", "agree_sensitive": "on"}
    own = {"password": PASSWORD, "password_again": PASSWORD, "code": read_code()}
    assert visit(reverse("accounts:activate-details"), agreed | own).status_code == 302
    visit(SEND, {"purpose": "new_phone", "phone": NEW_PHONE})
    new = {"password": PASSWORD, "phone": NEW_PHONE, "code": read_code()}
    visit(reverse("accounts:phone-change"), new)
    assert visit(reverse("own-data"), {"password": PASSWORD}).status_code == 200
    # One code a minute for a phone.
    VerificationCode.objects.all().delete()
    visit(SEND, {"purpose": "close"})
    end = {"password": PASSWORD, "code": read_code(), "understood": "on"}
    visit(reverse("accounts:close"), end)

    person.refresh_from_db()
    assert person.state == User.State.CLOSED
    printed = "".join(capfd.readouterr())
    assert find_traces([*secrets, first], caplog.text + printed) == []


def test_a_list_leaves_no_number_anywhere(
    client_of, unit, coordinator, staff, broker, caplog, capfd
):
    caplog.set_level(logging.INFO)
    # One registered under another name, one with a mistake in the number, one in the name.
    lines = [
        make_line(0, name="欧阳春梅"),
        make_line(1, name="诸葛夏竹"),
        make_line(2, name="上官秋菊"),
        make_line(3, number=make_line(3)[2][:-1], name="司马冬雪"),
        make_line(4, name="令狐 四季"),
    ]
    UserFactory(name="旧名", id_number=lines[1][2])
    numbers = [line[2] for line in lines] + [line[3] for line in lines]
    secrets = numbers + [line[1] for line in lines] + ["hr-office@example.org"]
    client, desk = client_of(coordinator), client_of(staff)

    client.post(
        reverse("accounts:list-upload"),
        {
            "file": SimpleUploadedFile("欧阳春梅等.xlsx", make_sheet(lines)),
            "reply_mail": "hr-office@example.org",
        },
    )
    row = RegistrationList.objects.get()
    check_list(list_id=row.pk, clock=timezone.now)
    pages = [
        client.get(reverse("accounts:list-detail", args=[row.code])),
        client.get(reverse("accounts:list-errors", args=[row.code])),
    ]
    assert [page.status_code for page in pages] == [200, 200]
    client.post(
        reverse("accounts:list-submit", args=[row.code]),
        {"is_checked": "on", "leaves_out_invalid": "on"},
    )
    desk.get(reverse("admin:accounts_registrationlist_change", args=[row.pk]))
    desk.post(
        reverse("admin:accounts_registrationlist_approve", args=[row.pk]),
        {"is_checked": "on"},
    )
    assert find_traces(secrets, caplog.text) == []

    create_accounts(list_id=row.pk, clock=timezone.now)
    deliver_due_messages(clock=timezone.now)
    row.refresh_from_db()

    assert (row.state, row.new_count, row.invalid_count) == ("done", 2, 3)
    printed = "".join(capfd.readouterr())
    assert find_traces(numbers, caplog.text + printed) == []
    # Names stand in clear where everybody's do, and nowhere else.
    names = find_traces(secrets, caplog.text + printed)
    assert {place for place, _ in names} == {"accounts_user"}


@pytest.mark.django_db(transaction=True)
def test_the_search_finds_what_is_there(client, broker):
    """Otherwise the test above would prove nothing."""
    cache.set("leak", PHONE)
    app.send_task("accounts.tasks.deliver_messages", kwargs={"phone": NUMBER})
    User.objects.create(username="leak", name=PHONE)

    places = {secret: place for place, secret in find_traces([PHONE, NUMBER], "")}
    found = find_traces([PHONE, NUMBER], f"log of {NUMBER}")

    assert set(places) == {PHONE, NUMBER}
    assert ("logs", NUMBER) in found
    assert ("accounts_user", PHONE) in found
    assert len(found) >= 4


def test_base64_is_seen_through():
    for offset in range(3):
        hidden = b64encode(b"z" * (offset + 3) + PHONE.encode() + b"yyyy")
        assert any(form in hidden for form in forms_of(PHONE))
