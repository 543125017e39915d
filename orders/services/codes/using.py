"""Using a code: it opens the plan for one person, once, and is void with its use."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import ThrottleCounter, User
from accounts.services.throttling import (
    Counter,
    give_back_try,
    take_tries,
    throttle_key,
)
from learning.models import Enrolment
from learning.queries import find_enrolment
from learning.services import open_enrolments
from orders.errors import (
    CodeNotFoundError,
    CodeNotNeededError,
    CodeOverError,
    CodeRefusedError,
    CodeThrottledError,
)
from orders.locks import find_locked_code, lock_people
from orders.models import ActivationCode
from orders.models.codes import secret_index
from orders.queries import find_live_line
from orders.queries.codes import find_waiting_code
from orders.rules import REDEEM_ADDRESS, REDEEM_PERSON, is_usable, read_secret

State = ActivationCode.State
Scope = ThrottleCounter.Scope

WAITING = "您有一个获赠的激活码，请直接在“我的激活码”中激活；刚输入的激活码未被使用。"
BUYING = "该学习计划正在购买中，请先在订单中支付或取消；激活码未被使用。"


def redeem_code(
    *, person: User, typed: str, address: str, now: datetime
) -> ActivationCode:
    """Use the code that somebody typed for their own study.

    Must not run inside a transaction of the caller, who would roll back the counted try.
    Raises `CodeMistypedError`, `CodeThrottledError`, `CodeRefusedError` (unknown, used, of
    somebody else), `CodeNotNeededError` and `CodeOverError`.
    """
    index = secret_index(read_secret(typed))
    counters = [
        Counter(
            Scope.CODE_REDEEM_ADDRESS, throttle_key("redeem", address), REDEEM_ADDRESS
        ),
        Counter(Scope.CODE_REDEEM, throttle_key("redeem", person.code), REDEEM_PERSON),
    ]
    if not take_tries(counters, now=now):
        raise CodeThrottledError
    code = _redeem(person, index, now)
    for counter in counters:
        give_back_try(scope=counter.scope, key=counter.key)
    return code


@transaction.atomic
def _redeem(person: User, index: str, now: datetime) -> ActivationCode:
    lock_people([person.pk])
    code = find_locked_code(secret_index=index)
    if code is None or not _may_use(code, person):
        raise CodeRefusedError
    _check_need(person, code, now)
    return _use(code, person, now)


@transaction.atomic
def activate_code(*, person: User, number: str, now: datetime) -> ActivationCode:
    """Use the code that the person was given. Used already, it is returned as it is.

    Raises `CodeNotFoundError`, `CodeNotNeededError` and `CodeOverError`.
    """
    lock_people([person.pk])
    code = find_locked_code(number=number, person=person)
    if code is None:
        raise CodeNotFoundError
    if code.state == State.USED:
        return code
    _check_need(person, code, now)
    return _use(code, person, now)


def _may_use(code: ActivationCode, person: User) -> bool:
    if code.state == State.GIVEN:
        return code.person_id == person.pk
    return code.state == State.UNUSED


def _check_need(person: User, code: ActivationCode, now: datetime) -> None:
    """A code is never spent on what somebody has, or is about to pay for."""
    plan = code.plan
    if not is_usable(training_end=plan.training_end, today=timezone.localdate(now)):
        raise CodeOverError
    if find_enrolment(person.pk, plan.pk) is not None:
        raise CodeNotNeededError
    if find_live_line(person.pk, plan.pk) is not None:
        raise CodeNotNeededError(BUYING)
    waiting = find_waiting_code(person.pk, plan.pk)
    if waiting is not None and waiting.pk != code.pk:
        raise CodeNotNeededError(WAITING)


def _use(code: ActivationCode, person: User, now: datetime) -> ActivationCode:
    code.state, code.person, code.used_at = State.USED, person, now
    try:
        with transaction.atomic():
            code.save(update_fields=["state", "person", "used_at"])
    except IntegrityError as error:
        # Used one before, and lost the plan since.
        raise CodeNotNeededError("您已使用过该学习计划的激活码。") from error
    opened = open_enrolments(
        plan=code.plan,
        users=[person],
        source=Enrolment.Source.CODE,
        source_number=code.number,
        now=now,
    )
    if opened[0].source_number != code.number:
        # A voucher or staff came first, between the look and the opening.
        raise CodeNotNeededError
    return code
