import pytest
from django.db import IntegrityError, transaction

from accounts.models import Message, ThrottleCounter
from portal.lib.bulk_insert import insert_rows

pytestmark = pytest.mark.django_db
SCOPE = ThrottleCounter.Scope.LOGIN_PAIR


def insert(now, rows, **same):
    insert_rows(
        ThrottleCounter,
        same={"scope": SCOPE, "window_started_at": now} | same,
        each=("key", "count"),
        rows=rows,
    )


def test_rows_are_as_django_would_have_written_them(now):
    insert(now, ((f"键\t\\{n}", n) for n in range(3)))

    rows = ThrottleCounter.objects.order_by("count")
    assert [(row.key, row.count) for row in rows] == [
        (f"键\t\\{n}", n) for n in range(3)
    ]
    assert {(row.scope, row.window_started_at) for row in rows} == {(SCOPE, now)}


def test_bytes_nulls_and_defaults(now):
    insert_rows(
        Message,
        same={
            "channel": "sms",
            "template": "already_registered",
            "created_at": now,
            "due_at": now,
        },
        each=("code", "recipient_mask", "recipient_cipher", "text_cipher"),
        rows=[("A", "", b"\x00\\\t\xff", b"")],
    )

    message = Message.objects.get()
    assert bytes(message.recipient_cipher) == b"\x00\\\t\xff"
    assert bytes(message.text_cipher) == b""
    assert (message.state, message.tries, message.error) == ("waiting", 0, "")
    assert (message.sent_at, message.attachment) == (None, None)


def test_no_rows_are_no_error(now):
    insert(now, [])

    assert ThrottleCounter.objects.count() == 0


def test_a_violation_is_djangos_and_leaves_nothing(now):
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(now, [("a", 1), ("b", 1), ("a", 2)])

    assert ThrottleCounter.objects.count() == 0


def test_a_default_that_is_a_function_is_refused(now):
    with pytest.raises(ValueError, match="code"):
        insert_rows(Message, same={}, each=("recipient_mask",), rows=[("x",)])
