"""Mail over SMTP, as EMAIL_URL names it, to a server on loopback."""

import socketserver
from email import message_from_bytes, policy
from threading import Thread

import environ
import pytest

from accounts.services.messages import deliver_due_messages, send_message
from tests.clock import stopped

pytestmark = pytest.mark.django_db


class MailServer(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as one mail needs."""

    mails: list[bytes] = []
    recipient_answer = "250 ok"

    def handle(self):
        self.say("220 mail.example")
        for line in self.rfile:
            verb = line.decode().split(maxsplit=1)[0].upper()
            if verb == "DATA":
                self.say("354 go on")
                self.take()
            elif verb == "RCPT":
                self.say(self.recipient_answer)
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.mails.append(b"".join(lines))
        self.say("250 taken")

    def say(self, answer):
        self.wfile.write(f"{answer}\r\n".encode())


@pytest.fixture
def server(settings):
    tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailServer)
    tcp.daemon_threads = True
    Thread(target=tcp.serve_forever, daemon=True).start()
    MailServer.mails, MailServer.recipient_answer = [], "250 ok"
    url = f"smtp://127.0.0.1:{tcp.server_address[1]}"
    for name, value in environ.Env.email_url_config(url).items():
        setattr(settings, name, value)
    settings.DEFAULT_FROM_EMAIL = "portal@example.com"
    yield MailServer
    tcp.shutdown()
    tcp.server_close()


def send(now):
    return send_message(
        channel="mail",
        recipient="person@example.com",
        template="invoice_issued",
        context={"order": "1", "number": "2", "address": "https://portal.example"},
        now=now,
    )


def test_a_mail_arrives(server, now):
    message = send(now)

    assert deliver_due_messages(clock=stopped(now)) == 1

    message.refresh_from_db()
    assert message.state == "sent"
    mail = message_from_bytes(server.mails[0], policy=policy.default)
    assert (mail["From"], mail["To"]) == ("portal@example.com", "person@example.com")
    assert mail["Subject"] == "电子发票已开具"
    assert mail.get_content().strip() == message.text


@pytest.mark.parametrize(
    ("answer", "state"), [("550 no such user", "failed"), ("450 later", "waiting")]
)
def test_a_refused_recipient(server, now, answer, state):
    server.recipient_answer = answer
    message = send(now)

    assert deliver_due_messages(clock=stopped(now)) == 0

    message.refresh_from_db()
    assert (message.state, message.tries) == (state, 1)
    assert message.error == f"收件人被拒绝（{answer[:3]}）"
    assert server.mails == []


def test_no_server_is_tried_again(server, now, settings):
    settings.EMAIL_PORT = 1
    message = send(now)

    assert deliver_due_messages(clock=stopped(now)) == 0

    message.refresh_from_db()
    assert (message.state, message.error) == ("waiting", "ConnectionRefusedError")
