from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Message, PrivateFile
from accounts.services.files import store_private_file
from accounts.services.messages import deliver_due_messages, send_message
from portal.lib.spreadsheet import XLSX
from tests.clock import stopped
from tests.factories.accounts import make_phone

BOX = reverse("accounts:message-box")
SEND = reverse("accounts:send-code")
PHONE = make_phone(7000)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine, now):
    time_machine.move_to(now, tick=False)


def deliver(code, at):
    message = send_message(
        channel=Message.Channel.SMS,
        recipient=PHONE,
        template="code_login",
        context={"code": code},
        now=at,
    )
    Message.objects.filter(pk=message.pk).update(state="sent", sent_at=at)


def test_a_code_arrives_in_the_box(client, run_tasks, read_code):
    with run_tasks():
        client.post(SEND, {"purpose": "register", "phone": PHONE})

    html = client.get(BOX).content.decode()
    assert read_code() in html
    assert "【重庆人社培训网】" in html
    assert "199****7000" in html
    assert PHONE not in html


def test_the_last_hour_newest_first(client, now):
    deliver("111111", now - timedelta(minutes=61))
    deliver("222222", now - timedelta(minutes=59))
    deliver("333333", now)

    html = client.get(BOX).content.decode()

    assert "111111" not in html
    assert html.index("333333") < html.index("222222")


def test_what_was_not_sent_is_not_there(client, now):
    for state in ("waiting", "failed", "withheld"):
        deliver("444444", now)
        Message.objects.update(state=state)

        assert "444444" not in client.get(BOX).content.decode()


def test_mails_are_there_too(client, now):
    """With their subject and the name of their file; the embedded default has no server."""
    file = store_private_file(
        content=b"PK sheet",
        name="办理结果.xlsx",
        content_type=XLSX,
        purpose=PrivateFile.Purpose.RESULT,
        owner=None,
        now=now,
    )
    send_message(
        channel=Message.Channel.MAIL,
        recipient="person@example.com",
        template="list_returned_mail",
        context=dict.fromkeys(("unit", "code", "reason", "address"), "<x>"),
        now=now,
        attachment=file,
    )
    deliver_due_messages(clock=stopped(now))

    html = client.get(BOX).content.decode()

    assert "邮件发给" in html
    assert "<b>注册名单已退回</b>" in html
    assert "原因：&lt;x&gt;<br>" in html
    assert "附件：办理结果.xlsx" in html
    assert "person@example.com" not in html


def test_the_refresh_is_the_list_only(client, now):
    deliver("222222", now)

    html = client.get(BOX, headers={"HX-Request": "true"}).content.decode()

    assert "222222" in html
    assert "<html" not in html


def test_an_empty_box(client):
    assert "还没有收到短信或邮件" in client.get(BOX).content.decode()


def test_it_is_kept_by_nobody(client):
    assert "no-store" in client.get(BOX).headers["Cache-Control"]


def test_switched_off_it_is_not_there_and_nothing_leads_to_it(client, settings):
    settings.MESSAGE_BOX = False

    assert client.get(BOX).status_code == 404
    for name in ("register", "login", "password-reset"):
        html = client.get(reverse(f"accounts:{name}")).content.decode()
        assert BOX not in html


def test_switched_on_the_register_page_leads_to_it(client):
    assert BOX in client.get(reverse("accounts:register")).content.decode()
