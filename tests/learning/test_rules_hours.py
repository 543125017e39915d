"""How hours add up, and which hours of a unit cannot be."""

from datetime import date

import pytest

from learning.errors import HoursRefusedError
from learning.rules.hours import (
    count_hours,
    refuse_beside,
    refuse_step,
    refuse_training,
)
from tests.factories.unit_hours import make_training

TODAY = date(2026, 6, 15)


@pytest.mark.parametrize(
    ("plans", "more", "hours"),
    [
        ([], {}, 0),
        ([(18, 30)], {}, 18),
        # A plan gives no more than it has; what two of them share counts once.
        ([(34, 30)], {}, 30),
        ([(30, 30), (30, 30)], {"repeated": 5}, 55),
        ([(34, 30), (30, 30)], {"repeated": 4}, 60),
        ([(18, 30)], {"recorded": 8}, 26),
        ([(60, 60), (10, 10)], {"recorded": 5}, 75),
    ],
)
def test_hours_add_up(plans, more, hours):
    assert count_hours(plans, **more) == hours


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hours": 48},
        {"starts_on": TODAY, "ends_on": TODAY},
        {"year": 2011, "starts_on": date(2011, 1, 1), "ends_on": date(2011, 12, 31)},
    ],
)
def test_a_training_that_can_be(changes):
    refuse_training(make_training(**changes), today=TODAY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"year": 2010}, "年度须在 2011 至 2026 之间"),
        ({"year": 2027}, "年度须在 2011 至 2026 之间"),
        ({"ends_on": date(2026, 3, 1)}, "结束日期不能早于开始日期"),
        (
            {"year": 2025, "starts_on": date(2025, 12, 31)},
            "起止日期须在 2025 年内，跨年的请分年登记",
        ),
        ({"year": 2025}, "起止日期须在 2025 年内，跨年的请分年登记"),
        ({"ends_on": date(2026, 6, 16)}, "培训结束后才能登记"),
        ({"hours": 49}, "2 天最多登记 48 学时"),
        ({"hours": 0}, "2 天最多登记 48 学时"),
    ],
)
def test_a_training_that_cannot_be(changes, message):
    with pytest.raises(HoursRefusedError) as refused:
        refuse_training(make_training(**changes), today=TODAY)

    assert refused.value.message == message


@pytest.mark.parametrize("content", ["施工安全技术培训", " 施工安全 技术培训。"])
def test_the_same_content_twice(content):
    other = make_training(content=content, ends_on=date(2026, 3, 9))

    with pytest.raises(HoursRefusedError, match="同一时段的同一培训内容已登记过"):
        refuse_beside(make_training(), [other])


def test_two_trainings_fit_into_the_days_they_span():
    other = make_training(content="造价", starts_on=date(2026, 3, 3), hours=24)

    # Two days hold 48 hours in all.
    refuse_beside(make_training(hours=24), [other])
    with pytest.raises(HoursRefusedError, match="合计超过每天 24 学时"):
        refuse_beside(make_training(hours=25), [other])


def test_a_long_training_makes_no_room_for_another_full_day():
    """Half an hour a day for a month is beside the full day, not a month for it."""
    day = {"starts_on": date(2026, 3, 2), "ends_on": date(2026, 3, 2), "hours": 24}
    month = make_training(content="自学", hours=15, ends_on=date(2026, 3, 31))
    full = make_training(content="造价", **day)

    refuse_beside(month, [full])
    with pytest.raises(HoursRefusedError, match="合计超过每天 24 学时"):
        refuse_beside(make_training(**day), [full, month])


def test_days_are_full_also_through_a_training_of_other_days():
    """The third shares no day with the first, and the three days are full all the same."""
    first = make_training(content="一", ends_on=date(2026, 3, 2), hours=24)
    across = make_training(content="二", ends_on=date(2026, 3, 3), hours=24)
    last = {"content": "三", "starts_on": date(2026, 3, 3), "hours": 1}

    with pytest.raises(HoursRefusedError, match="合计超过每天 24 学时"):
        refuse_beside(make_training(**last), [across, first])
    refuse_beside(make_training(**last), [across])
    later = {"starts_on": date(2026, 3, 4), "ends_on": date(2026, 3, 4)}
    refuse_beside(make_training(**(last | later)), [across, first])


STATES = ("recorded", "passed", "rejected", "withdrawn")
ALLOWED = {
    ("recorded", "withdrawn"),
    ("recorded", "passed"),
    ("recorded", "rejected"),
    ("passed", "rejected"),
    ("rejected", "passed"),
}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_steps(before, after):
    if (before, after) in ALLOWED:
        refuse_step(before, after)
    else:
        with pytest.raises(HoursRefusedError, match="已有其他办理结果"):
            refuse_step(before, after)
