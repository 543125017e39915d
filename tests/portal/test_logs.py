import io
import json
import logging
import threading

import pytest
from django.test import Client
from structlog.stdlib import ProcessorFormatter

from portal.logs import logging_config, mask_text, mask_value
from tests.factories.accounts import make_id_number, make_phone

ID_NUMBER = make_id_number(7)
PHONE = make_phone(7)


@pytest.fixture
def read_log():
    """Log as JSON into memory; the function returned reads what this thread wrote."""
    logging_config(level="INFO", readable=False)
    written, here = io.StringIO(), threading.get_ident()
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, ProcessorFormatter):
            handler.setStream(written)
            handler.addFilter(lambda record: record.thread == here)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logging_config(level="INFO", readable=True)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"证件{ID_NUMBER}重复", "证件[id-number]重复"),
        (f"?id={ID_NUMBER.lower()}&p={PHONE}", "?id=[id-number]&p=[phone]"),
        ("11010519491231002x", "[id-number]"),
        ("号码 130503670401001 是旧的", "号码 [id-number] 是旧的"),
        ("永居证CHN110190001019", "永居证[id-number]"),
        (f"+86{PHONE}", "[phone]"),
        (f"+86-{PHONE}", "[phone]"),
        (f"tel:{PHONE},{PHONE}", "tel:[phone],[phone]"),
        # What must stay readable: payment numbers, moments, amounts, the hotline.
        ("2026112122001412341234567890", "2026112122001412341234567890"),
        ("1763694232836968", "1763694232836968"),
        ("33.00 400-023-9229 12345678901", "33.00 400-023-9229 12345678901"),
    ],
)
def test_numbers_of_persons_are_masked_and_others_stay(text, masked):
    assert mask_text(text) == masked


def test_masking_reaches_every_depth():
    assert mask_value(
        {
            "people": [{"id": ID_NUMBER}, (PHONE, 5)],
            "Password": "in clear",
            "number": int(PHONE),
            "count": 3,
            "ready": True,
            "nothing": None,
            "other": OSError(PHONE),
        }
    ) == {
        "people": [{"id": "[id-number]"}, ["[phone]", 5]],
        "Password": "[hidden]",
        "number": "[phone]",
        "count": 3,
        "ready": True,
        "nothing": None,
        "other": "OSError('[phone]')",
    }


def test_a_record_is_one_line_of_json(read_log):
    logging.getLogger("orders").info("order %s paid", "A1", extra={"fen": 3300})

    (line,) = read_log()
    timestamp = line.pop("timestamp")
    assert str(timestamp).endswith("Z")
    assert line == {
        "event": "order A1 paid",
        "fen": 3300,
        "level": "info",
        "logger": "orders",
    }


def test_personal_data_is_masked_in_messages_extras_and_tracebacks(read_log):
    try:
        raise ValueError(f"{ID_NUMBER} twice")
    except ValueError:
        logging.getLogger("any.library").exception(
            "refused %s", PHONE, extra={"row": [ID_NUMBER], "phone": PHONE}
        )

    (line,) = read_log()
    assert line["event"] == "refused [phone]"
    assert line["row"] == ["[id-number]"]
    assert line["phone"] == "[hidden]"
    assert "ValueError: [id-number] twice" in str(line["exception"])
    assert ID_NUMBER not in json.dumps(line)
    assert PHONE not in json.dumps(line)


def test_django_does_not_log_paths_of_missing_pages(client, read_log):
    client.get("/v/secret-token-of-a-certificate/no/such/page/")

    lines = read_log()
    assert [line["event"] for line in lines] == ["request"]
    assert "secret-token" not in json.dumps(lines)


@pytest.mark.urls("tests.portal.test_errors")
def test_a_breakdown_is_logged_with_its_traceback_and_without_its_path(read_log):
    Client(raise_request_exception=False).get("/break/secret-token/")

    error, request = read_log()
    assert error["event"] == "Internal Server Error"
    assert "RuntimeError: secret detail" in error["exception"]
    assert error["request_id"] == request["request_id"]
    assert request["status"] == 500
    assert "secret-token" not in json.dumps([error, request])


def test_a_failed_task_tells_its_breakdown_once(read_log):
    try:
        raise OSError("disk full")
    except OSError:
        logging.getLogger("celery.app.trace").exception(
            "task failed", extra={"data": {"args": "(1,)", "traceback": "disk full"}}
        )

    (line,) = read_log()
    assert "data" not in line
    assert line["exception"].count("disk full") == 2  # the source line and the error
