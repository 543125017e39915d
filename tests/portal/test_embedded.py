import stat
import threading

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from portal.embedded import keep_secret, read_secret
from portal.lib.crypto import parse_keys


@pytest.fixture
def env(monkeypatch, tmp_path):
    for name in ("SOME_KEY", "SOME_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    return environ.Env()


def test_a_secret_is_made_once_and_kept_for_its_owner_alone(tmp_path):
    folder = tmp_path / "secrets"

    first = keep_secret(folder, "some_key")

    assert keep_secret(folder, "some_key") == first
    assert keep_secret(folder, "other_key") != first
    assert stat.S_IMODE((folder / "some_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(parse_keys(f"k1:{first}")["k1"]) == 32


def test_processes_that_start_together_agree_on_one_secret(tmp_path):
    found = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        found.append(keep_secret(tmp_path / "secrets", "some_key"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [file.name for file in (tmp_path / "secrets").iterdir()] == ["some_key"]


def test_the_environment_comes_before_what_was_kept(env, monkeypatch, tmp_path):
    kept = read_secret(env, "SOME_KEY", folder=tmp_path)
    assert len(kept) == 44

    monkeypatch.setenv("SOME_KEY", "given")
    assert read_secret(env, "SOME_KEY", folder=tmp_path) == "given"


def test_a_secret_may_lie_in_a_file_of_its_own(env, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("from a file\n")
    monkeypatch.setenv("SOME_KEY_FILE", str(tmp_path / "file"))

    assert read_secret(env, "SOME_KEY", folder=None) == "from a file"


def test_without_a_folder_nothing_is_made_up(env):
    with pytest.raises(ImproperlyConfigured, match="SOME_KEY"):
        read_secret(env, "SOME_KEY", folder=None)
