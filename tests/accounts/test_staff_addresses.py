import pytest
from django.conf import settings as django_settings
from django.urls import reverse

LOGIN = reverse("accounts:login")

pytestmark = pytest.mark.django_db

ADMIN = f"/{django_settings.ADMIN_PATH}"


@pytest.mark.parametrize(
    ("networks", "address", "is_open"),
    [
        ([], "203.0.113.7", True),
        (["10.1.0.0/16"], "10.1.2.3", True),
        (["10.1.0.0/16"], "10.2.2.3", False),
        (["10.1.0.0/16", "203.0.113.7"], "203.0.113.7", True),
        (["2001:db8::/32"], "2001:db8::1", True),
        (["2001:db8::/32"], "10.1.2.3", False),
        (["10.1.0.0/16"], "::ffff:10.1.2.3", True),
        (["10.1.0.0/16"], "nonsense", False),
    ],
)
def test_the_staff_site_answers_its_networks_only(
    settings, client, networks, address, is_open
):
    settings.STAFF_ADDRESSES = networks

    for path in (ADMIN, f"{ADMIN}login/", f"{ADMIN}second-factor/", ADMIN.rstrip("/")):
        status = client.get(path, REMOTE_ADDR=address).status_code
        assert (status != 404) == is_open, path


def test_the_rest_of_the_site_is_open_to_all(settings, client):
    settings.STAFF_ADDRESSES = ["10.1.0.0/16"]

    assert client.get(LOGIN, REMOTE_ADDR="203.0.113.7").status_code == 200


def test_only_the_proxies_word_counts_for_the_network(settings, client):
    settings.STAFF_ADDRESSES = ["10.1.0.0/16"]

    response = client.get(ADMIN, headers={"X-Forwarded-For": "10.1.2.3"})

    assert response.status_code == 404
