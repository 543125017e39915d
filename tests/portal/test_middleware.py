import logging
import re

import pytest

REFERENCE = re.compile(r"^[0-9A-F]{12}$")


def test_every_answer_carries_its_own_number(client):
    first, second = client.get("/healthz"), client.get("/healthz")

    assert REFERENCE.match(first["X-Request-ID"])
    assert REFERENCE.match(second["X-Request-ID"])
    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_a_number_sent_by_the_client_is_not_taken_over(client):
    response = client.get("/healthz", headers={"X-Request-ID": "AAAAAAAAAAAA"})

    assert response["X-Request-ID"] != "AAAAAAAAAAAA"


def test_one_line_is_logged_with_the_route_and_without_the_query(client, caplog):
    with caplog.at_level(logging.INFO, logger="portal.middleware"):
        client.get("/healthz?phone=19900000001")

    (record,) = (each for each in caplog.records if each.name == "portal.middleware")
    assert (record.method, record.route, record.status) == ("GET", "healthz", 200)
    assert record.milliseconds >= 0
    assert "19900000001" not in str(vars(record))


@pytest.mark.parametrize("address", ["/healthz?page=%00", "/healthz%00"])
def test_an_address_with_a_nul_is_refused(client, address):
    response = client.get(address)

    assert response.status_code == 400
    assert response["X-Request-ID"] in response.content.decode()


@pytest.mark.django_db
def test_a_cookie_with_a_nul_is_refused(client):
    client.cookies["sessionid"] = "a" * 31 + "\0"

    assert client.get("/space/").status_code == 400
