"""What a check tells about a number, and when staff are called."""

from itertools import product

import pytest

from orders.rules.groups import (
    HELD,
    ORDERED,
    TAKEN,
    UNAVAILABLE,
    UNAVAILABLE_NAMED,
    Account,
    Alarm,
    Verdict,
    describe_steps,
    explain,
    judge_person,
    looks_like_guessing,
)


def account(**facts):
    return Account(1, "赵一", **facts)


NOBODY = None
FREE = account()
HOLDER = account(holds_plan=True)
BUYER = account(has_order=True)


@pytest.mark.parametrize(
    ("name", "who", "verdict"),
    [
        ("", FREE, Verdict.FREE),
        ("赵一", FREE, Verdict.FREE),
        ("", NOBODY, Verdict.UNAVAILABLE),
        ("", HOLDER, Verdict.UNAVAILABLE),
        ("", BUYER, Verdict.UNAVAILABLE),
        ("赵一", NOBODY, Verdict.UNAVAILABLE),
        ("钱二", FREE, Verdict.UNAVAILABLE),
        ("钱二", HOLDER, Verdict.UNAVAILABLE),
        ("钱二", BUYER, Verdict.UNAVAILABLE),
        ("赵一", HOLDER, Verdict.HELD),
        ("赵一", BUYER, Verdict.ORDERED),
        ("赵一", account(holds_plan=True, has_order=True), Verdict.HELD),
    ],
)
def test_only_the_right_name_learns_more(name, who, verdict):
    assert judge_person(name=name, account=who) is verdict


def test_without_a_name_all_refusals_read_the_same():
    reasons = {
        explain(judge_person(name="", account=who), has_name=False)
        for who in (NOBODY, HOLDER, BUYER)
    }

    assert reasons == {"未注册或已购买"}
    assert UNAVAILABLE == "未注册或已购买"


def test_with_a_wrong_name_all_refusals_read_the_same():
    reasons = {
        explain(judge_person(name=name, account=who), has_name=True)
        for name, who in [
            *product(["钱二"], (NOBODY, FREE, HOLDER, BUYER)),
            ("赵一", NOBODY),
        ]
    }

    assert reasons == {UNAVAILABLE_NAMED}


def test_the_right_name_reads_why():
    assert explain(Verdict.HELD, has_name=True) == HELD
    assert explain(Verdict.ORDERED, has_name=True) == ORDERED
    assert explain("taken", has_name=False) == TAKEN
    assert explain(Verdict.FREE, has_name=False) == ""


@pytest.mark.parametrize(
    ("asked", "known", "alarms"),
    [(49, 0, False), (50, 24, True), (50, 25, False), (5000, 2499, True)],
)
def test_few_accounts_among_many_numbers_look_like_guessing(asked, known, alarms):
    alarm = Alarm(numbers=50, percent=50)

    assert looks_like_guessing(asked=asked, known=known, alarm=alarm) is alarms


@pytest.mark.parametrize(
    ("state", "current"),
    [
        ("", 0),
        ("waiting", 1),
        ("checking", 1),
        ("checked", 2),
        ("refused", 1),
        ("ordered", 3),
    ],
)
def test_steps(state, current):
    states = [step["state"] for step in describe_steps(state)]

    assert states == ["done"] * current + ["current"] + ["todo"] * (4 - current)
