import pytest

from accounts.errors import UsernameRefusedError
from accounts.rules.accounts import canonical_account, looks_like_number
from accounts.rules.usernames import make_username, read_username


@pytest.mark.parametrize(
    ("text", "username"),
    [("zhao_yi", "zhao_yi"), (" ZhaoYi ", "zhaoyi"), ("a123", "a123")],
)
def test_names_of_own_choice(text, username):
    assert read_username(text) == username


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1abc",
        "13800138000",
        "11010519491231002x",
        "usa110084010112",
        "zhao-yi",
        "赵一一一",
        "a" * 21,
    ],
)
def test_nothing_that_could_be_a_number(text):
    with pytest.raises(UsernameRefusedError):
        read_username(text)


def test_made_names_are_names_and_differ():
    made = {make_username() for _ in range(200)}

    assert len(made) == 200
    assert all(read_username(name) == name for name in made)


@pytest.mark.parametrize(
    ("text", "account"),
    [
        ("+86 138-0013-8000", "13800138000"),
        (" 11010519491231002X ", "11010519491231002x"),
        ("１１０１０５１９４９１２３１００２ｘ", "11010519491231002x"),
        (" ZhaoYi", "zhaoyi"),
    ],
)
def test_one_spelling_for_each_account(text, account):
    assert canonical_account(text) == account


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("13800138000", True),
        ("1380013800", True),
        ("11010519491231002X", True),
        ("1101 0519 4912", True),
        ("赵一", False),
        ("zhao1990", False),
        ("", False),
    ],
)
def test_what_may_not_stand_in_an_address(text, is_number):
    assert looks_like_number(text) is is_number
