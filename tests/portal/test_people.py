from django.contrib.auth import authenticate

from accounts.personal_data import id_number_index
from tests.factories.accounts import PASSWORD, make_id_number


def test_synthetic_people_are_stored_as_the_product_stores_them(owner, member, unit):
    assert len(owner.id_number) == 18
    assert owner.id_number_index == id_number_index(owner.id_number)
    assert 1900 <= int(owner.id_number[6:10]) < 1905
    assert owner.phone.startswith("1990")
    assert owner.profile.education == "bachelor"
    assert member.profile.unit == unit
    assert authenticate(username=owner.username, password=PASSWORD) == owner


def test_synthetic_id_numbers_carry_the_check_digit_of_the_standard():
    """GB 11643: weighted sum plus check digit is 1 modulo 11."""
    weights = [pow(2, 17 - place, 11) for place in range(18)]
    for number in (0, 1, 7, 999, 1000, 123456):
        digits = [10 if c == "X" else int(c) for c in make_id_number(number)]
        total = sum(d * w for d, w in zip(digits, weights, strict=True))
        assert total % 11 == 1
