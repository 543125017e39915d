import socket
from subprocess import CompletedProcess

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from portal.management.commands import serve
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.stores


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("8001", ("127.0.0.1", 8001)),
        (":8002", ("127.0.0.1", 8002)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:8003", ("::1", 8003)),
        ("localhost:8004", ("localhost", 8004)),
    ],
)
def test_addresses_are_read(text, address):
    assert serve.parse_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0.1:", "host:0", "host:65536"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(CommandError, match="地址应写作 主机:端口"):
        serve.parse_address(text)


def test_a_busy_port_is_said_before_anything_is_started(busy_port):
    with pytest.raises(CommandError, match=f"端口 {busy_port} 已被占用"):
        call_command("serve", f"127.0.0.1:{busy_port}")


def test_one_folder_serves_one_portal_at_a_time(tmp_path):
    with (
        serve.lock_data(tmp_path),
        pytest.raises(CommandError, match="正被另一个门户使用"),
    ):
        serve.lock_data(tmp_path)

    serve.lock_data(tmp_path).close()


def test_the_sandbox_moves_when_its_port_is_busy(busy_port, settings):
    settings.SANDBOX_PORT = busy_port

    environment = serve.Command().environment_for("127.0.0.1", 8000)

    assert environment["SANDBOX_PORT"] not in {str(busy_port), "0"}


def test_the_site_address_is_the_one_served_unless_set(monkeypatch):
    monkeypatch.delenv("SITE_URL", raising=False)
    command = serve.Command()

    assert command.environment_for("0.0.0.0", 8005)["SITE_URL"] == (
        "http://127.0.0.1:8005"
    )
    assert command.environment_for("::1", 8005)["SITE_URL"] == "http://[::1]:8005"

    monkeypatch.setenv("SITE_URL", "https://portal.example")
    assert command.environment_for("0.0.0.0", 8005)["SITE_URL"] == (
        "https://portal.example"
    )


def test_without_sandbox_no_gateway_is_started(settings):
    titles = [program.title for program in serve.programs_for("127.0.0.1", 8000)]
    assert titles == ["网站", "后台任务", "定时任务", "支付与微信模拟网关"]

    settings.SANDBOX = False
    titles = [program.title for program in serve.programs_for("127.0.0.1", 8000)]
    assert titles == ["网站", "后台任务", "定时任务"]


def test_nobody_answers_at_a_free_port():
    port = serve.find_free_port()

    assert serve.is_ready("127.0.0.1", port, "127.0.0.1") is False


@pytest.mark.django_db
@pytest.mark.parametrize(("has_staff", "loads"), [(False, [True]), (True, [])])
def test_sample_data_is_loaded_until_it_was_loaded_to_the_end(
    has_staff, loads, monkeypatch
):
    if has_staff:
        UserFactory(staff=True)
    started = []
    monkeypatch.setattr(serve, "call_command", lambda *args, **kwargs: None)
    monkeypatch.setattr(serve.connections, "close_all", lambda: None)

    def run(command, **kwargs):
        started.append(command[-1] == "demo")
        return CompletedProcess(command, 0)

    monkeypatch.setattr(serve.subprocess, "run", run)

    serve.Command().prepare_data({})

    assert started == loads
