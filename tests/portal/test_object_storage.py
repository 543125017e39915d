"""The address of a store, and what pages may load from it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.csp import build_policy
from portal.object_storage import read_storage_url

pytest.importorskip("storages.backends.s3", reason="requirements/s3.txt")


def test_address_names_key_bucket_and_region() -> None:
    store = read_storage_url(
        "s3://key:s%2Fcret@s3.example:9000/films?region=cn-north-1"
    )
    options = store.backend["OPTIONS"]

    assert store.origin == options["endpoint_url"] == "https://s3.example:9000"
    assert (options["access_key"], options["secret_key"]) == ("key", "s/cret")
    assert (options["bucket_name"], options["region_name"]) == ("films", "cn-north-1")
    assert options["client_config"].s3 == {"addressing_style": "path"}


def test_bucket_may_stand_in_front_of_the_host() -> None:
    store = read_storage_url("s3+http://k:s@oss.example/films?style=virtual")

    assert store.origin == "http://films.oss.example"
    assert store.backend["OPTIONS"]["endpoint_url"] == "http://oss.example"


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.example/films",
        "s3://k:s@s3.example/",
        "s3://k:s@s3.example/films/part",
        "s3:///films",
        "s3://k:s@s3.example/films?style=other",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL"):
        read_storage_url(url)


def test_pages_load_films_from_the_store_and_nothing_else() -> None:
    plain = build_policy("")["DIRECTIVES"]
    stored = build_policy("https://s3.example")["DIRECTIVES"]

    changed = {name for name in plain if plain[name] != stored[name]}
    assert changed == {"img-src", "media-src", "connect-src"}
    for name in changed:
        assert set(stored[name]) - set(plain[name]) == {"https://s3.example"}
