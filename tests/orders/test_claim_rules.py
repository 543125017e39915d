"""The words of the official letter, and which payments open which years."""

import re
from datetime import date

import pytest
from django.template.loader import render_to_string

from orders.errors import ClaimRefusedError
from orders.rules.claims import (
    Letter,
    list_facts,
    refuse_payment_day,
    refuse_year,
    say_day,
    write_letter,
)

TODAY = date(2026, 6, 15)


def test_letter_in_the_official_words() -> None:
    letter = Letter(
        name="赵一",
        id_number="500103190001010011",
        phone="19900000001",
        username="zhaoyi",
        paid_on=say_day(date(2019, 6, 30)),
        year="2019",
        subject="公需科目",
        reason="原平台已关闭",
        portal="重庆人社培训网",
        signed_on=say_day(TODAY),
    )

    assert write_letter(letter) == [
        "本人赵一，身份证号码：500103190001010011，手机号码：19900000001，已于2019年6月30日"
        "缴费报名参加2019年度公需科目学习。因原平台已关闭原因，无法提供缴费凭证。",
        "本人现已在重庆人社培训网网络学习服务平台注册，用户名为zhaoyi，现申请免费参加"
        "2019年度继续教育公需科目的学习，并承诺如下：",
        "一、本人在参与专业技术人员继续教育公需科目补学过程中提供的相关资料，本人均予以认可，"
        "自愿提供。本人所提供的缴费信息真实有效，如系伪造，本人愿依法承担相应法律责任。",
        "二、本人知晓并理解提供不实信息对个人诚信记录的风险，如给专业技术人员继续教育公需科目"
        "培训主管单位、承训单位造成损失的，愿意承担赔偿及相应的法律责任。",
        "承诺人：赵一",
        "时 间：2026年6月15日",
    ]


def test_blank_form_has_the_same_words() -> None:
    """Who prints the letter signs what the others sign on the screen."""
    blank = dict.fromkeys(
        ("name", "id_number", "phone", "username", "year", "reason", "signed_on"), ""
    )
    letter = Letter(
        **blank, paid_on="年月日", subject="公需科目", portal="重庆人社培训网"
    )

    html = render_to_string("demo/commitment.html", {"portal": "重庆人社培训网"})

    body = html[html.index("</h1>") : html.index('<div class="sign">')]
    printed = [
        "".join(re.sub(r"<[^>]+>", "", paragraph).split())
        for paragraph in re.findall(r"<p>(.*?)</p>", body)
    ]
    assert printed == ["".join(each.split()) for each in write_letter(letter)[:4]]


@pytest.mark.parametrize(
    ("year", "accepts", "may"),
    [
        (2010, True, False),
        (2011, True, True),
        (2025, True, True),
        (2026, True, False),
        (2027, True, False),
        (2019, False, False),
    ],
)
def test_only_past_years_that_accept_claims(
    year: int, accepts: bool, may: bool
) -> None:
    def check() -> None:
        refuse_year(year=year, accepts_claims=accepts, today=TODAY)

    if may:
        check()
    else:
        with pytest.raises(ClaimRefusedError):
            check()


@pytest.mark.parametrize(
    ("paid_on", "words"),
    [
        (date(2026, 6, 16), "缴费时间不能晚于今天。"),
        (date(2010, 12, 31), "缴费时间不能早于2011年。"),
    ],
)
def test_nobody_paid_tomorrow_or_before_the_beginning(
    paid_on: date, words: str
) -> None:
    with pytest.raises(ClaimRefusedError) as refusal:
        refuse_payment_day(paid_on=paid_on, today=TODAY)

    assert str(refusal.value) == words


def test_today_is_a_day_of_payment() -> None:
    refuse_payment_day(paid_on=TODAY, today=TODAY)


def test_facts_stand_in_the_order_of_the_form() -> None:
    wanted = {
        "platform": "原平台",
        "amount_fen": "3300",
        "paid_on": "2019-06-30",
        "payer": "赵一",
        "order_number": "GX1",
    }

    assert list_facts(wanted) == [
        ("订单编号", "GX1"),
        ("付款人", "赵一"),
        ("缴费时间", "2019-06-30"),
        ("缴费金额（元）", "33.00"),
        ("缴费平台", "原平台"),
    ]
    assert list_facts({}) == []
