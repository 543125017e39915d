"""Handing in the people of a group purchase: kept encrypted for the worker that checks them."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import PrivateFile, Unit, User
from accounts.services.files import store_private_file
from catalog.models import Plan
from catalog.queries import read_price_fen
from orders.errors import (
    GroupLimitError,
    GroupNotAllowedError,
    GroupStateError,
    PlanNotOnSaleError,
)
from orders.locks import lock_check, lock_people
from orders.models import GroupCheck
from orders.queries.groups import count_day, is_appointed, list_buying_units
from orders.rules.groups import ROWS_KEPT
from portal.lib.spreadsheet import XLSX

NO_PHONE = "团体购买前请先绑定并验证本人手机号码。"
NO_UNIT = "团体购买由单位指定专人办理，请先在个人信息中填写工作单位。"
TOO_MANY_CHECKS = "您今天提交的名单已达上限，请明天再试；如确有需要，请联系在线客服。"
TOO_MANY_NUMBERS = (
    "您今天查询的证件号码已达上限，请明天再试；如确有需要，请联系在线客服。"
)


@dataclass(frozen=True)
class Submission:
    """People for whom a plan is to be bought, as a pasted text or an .xlsx file.

    `replaces` is the check they correct; `keeps_free` takes over whom that one found free.
    """

    plan: Plan
    unit: Unit
    content: bytes
    is_sheet: bool
    replaces: GroupCheck | None = None
    keeps_free: bool = False


def find_units(buyer: User) -> list[Unit]:
    """The units a person may buy for. Raises `GroupNotAllowedError` for who has none.

    A phone is proved by every way into an account: whoever probes numbers has a name.
    """
    if not buyer.may_log_in or not buyer.phone_index:
        raise GroupNotAllowedError(NO_PHONE)
    units = list_buying_units(buyer)
    if not units:
        raise GroupNotAllowedError(NO_UNIT)
    return units


def refuse_outsider(buyer: User, unit: Unit) -> None:
    """Raise `GroupNotAllowedError` unless the person may buy for the unit today."""
    if unit not in find_units(buyer):
        raise GroupNotAllowedError(NO_UNIT)


def refuse_closed_plan(plan: Plan, *, now: datetime) -> None:
    """Raise `PlanNotOnSaleError` unless the plan is sold today."""
    today = timezone.localdate(now)
    if not plan.is_on_sale(today) or read_price_fen(plan, day=today) == 0:
        raise PlanNotOnSaleError


@transaction.atomic
def submit_people(*, submission: Submission, actor: User, now: datetime) -> GroupCheck:
    """Keep what was given; a worker checks it. Wake it: `orders.tasks.check_group`.

    Raises `GroupNotAllowedError`, `PlanNotOnSaleError`, `GroupLimitError`, and
    `GroupStateError` where the corrected check has moved on.
    """
    refuse_outsider(actor, submission.unit)
    refuse_closed_plan(submission.plan, now=now)
    # The check before its buyer, as whoever orders or checks it takes them.
    _end_replaced(submission, actor, now=now)
    # Submissions of one person queue here, so that parallel ones are counted too.
    lock_people([actor.pk])
    _refuse_flood(actor, now=now)
    check = GroupCheck(
        plan=submission.plan,
        buyer=actor,
        unit=submission.unit,
        is_sheet=submission.is_sheet,
        replaces=submission.replaces,
        keeps_free=submission.keeps_free and submission.replaces is not None,
        created_at=now,
        kept_until=now + ROWS_KEPT,
    )
    check.file = store_private_file(
        content=submission.content,
        name=f"团购名单-{check.code}.{'xlsx' if submission.is_sheet else 'txt'}",
        content_type=XLSX if submission.is_sheet else "text/plain",
        purpose=PrivateFile.Purpose.GROUP,
        owner=actor,
        now=now,
        lifetime=ROWS_KEPT,
    )
    check.save(force_insert=True)
    return check


def refuse_too_many_numbers(check: GroupCheck, *, asked: int, now: datetime) -> None:
    """Raise `GroupLimitError` when so many more numbers pass the buyer's day."""
    before = count_day(check.buyer, now=now).asked - check.asked_count
    if before + asked > _daily_numbers(check.buyer):
        raise GroupLimitError(TOO_MANY_NUMBERS)


def _refuse_flood(buyer: User, *, now: datetime) -> None:
    day = count_day(buyer, now=now)
    if day.checks >= settings.GROUP_PURCHASE["daily_checks"]:
        raise GroupLimitError(TOO_MANY_CHECKS)
    if day.asked >= _daily_numbers(buyer):
        raise GroupLimitError(TOO_MANY_NUMBERS)


def _daily_numbers(buyer: User) -> int:
    name = "daily_numbers" if is_appointed(buyer) else "daily_numbers_member"
    limit: int = settings.GROUP_PURCHASE[name]
    return limit


def _end_replaced(submission: Submission, actor: User, *, now: datetime) -> None:
    """The corrected check stays readable for taking its free people over, and no order can
    come of it any more."""
    if submission.replaces is None:
        return
    replaced = lock_check(submission.replaces.pk)
    is_open = replaced.state in (GroupCheck.State.CHECKED, GroupCheck.State.REFUSED)
    is_same = (replaced.buyer_id, replaced.plan_id) == (actor.pk, submission.plan.pk)
    if not is_open or not is_same or not replaced.is_kept(now=now):
        raise GroupStateError
    replaced.state = GroupCheck.State.REPLACED
    replaced.save(update_fields=["state"])
