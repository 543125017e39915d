import pytest

from accounts.rules.first_passwords import (
    RULES,
    describe_first_password,
    first_password,
)
from tests.factories.accounts import make_id_number

NUMBER = make_id_number(7)


@pytest.mark.parametrize(
    ("rule", "password"),
    [
        ("edu_last_six", "edu@" + NUMBER[-6:]),
        ("last_six", NUMBER[-6:]),
        ("zeros", "000000"),
    ],
)
def test_first_password_by_the_notice_of_the_year(rule: str, password: str) -> None:
    assert first_password(rule, NUMBER) == password
    assert describe_first_password(rule)


def test_the_words_name_no_password() -> None:
    assert not any(NUMBER[-6:] in words for words in RULES.values())
