"""Appeals given back for more (退回补充): sent again from where they were, and decided."""

import pytest

from accounts.errors import DeciderRefusedError, RequestStateError
from accounts.models import Message
from learning.models import Appeal
from learning.services.appeals import (
    resend_appeal,
    return_appeal,
)
from tests.factories.requests import make_proofs, make_staff
from tests.learning.appealing import appeal, approve
from tests.learning.learner import Learner


def give_back(row: Appeal, actor, now) -> Appeal:
    return return_appeal(
        appeal_id=row.pk,
        seen_version=row.version,
        reason="请补充断网通知",
        actor=actor,
        now=now,
    )


def resend(row: Appeal, now, **values) -> Appeal:
    given = {"text": "小区断网，附通知", "proofs": []}
    return resend_appeal(appeal_id=row.pk, person=row.person, now=now, **given | values)


def test_a_returned_appeal_is_sent_again_and_decided(
    learner: Learner, offline, reviewer
):
    row = appeal(learner, offline, proofs=make_proofs(2))
    row = give_back(row, reviewer, learner.clock.now)
    assert row.state == Appeal.State.RETURNED
    assert Message.objects.get().template == "appeal_returned"
    assert learner.progress().covered_ms == 0
    learner.clock.advance(86_400)

    row = resend(row, learner.clock.now)

    assert (row.state, row.decided_at) == (Appeal.State.OPEN, None)
    assert row.filed_at == learner.clock.now
    assert row.wanted == {"text": "小区断网，附通知"}
    assert [file.expires_at for file in row.files.all()] == [None, None]
    approve(row, reviewer, learner.clock.now)
    assert learner.progress().covered_ms == 280_000
    kinds = row.events.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["filed", "returned", "resent", "approved"]


@pytest.mark.parametrize(("before", "after"), [(0, 0), (2, 1), (0, 1)])
def test_new_proofs_take_the_place_of_the_old(
    learner: Learner, offline, reviewer, before: int, after: int
):
    row = appeal(learner, offline, proofs=make_proofs(before) if before else [])
    row = give_back(row, reviewer, learner.clock.now)

    resend(row, learner.clock.now, proofs=make_proofs(after) if after else [])

    assert row.files.count() == after


def test_a_returned_appeal_is_not_decided(learner: Learner, offline, reviewer):
    row = give_back(appeal(learner, offline), reviewer, learner.clock.now)

    with pytest.raises(RequestStateError):
        approve(row, reviewer, learner.clock.now)

    assert learner.progress().covered_ms == 0
    assert Appeal.objects.get().state == Appeal.State.RETURNED


def test_only_a_returned_appeal_is_sent_again(learner: Learner, offline, reviewer):
    row = appeal(learner, offline)

    with pytest.raises(RequestStateError):
        resend(row, learner.clock.now)

    assert Appeal.objects.get().wanted == {"text": "小区断网"}
    assert Appeal.objects.get().version == 1


def test_other_roles_give_nothing_back(learner: Learner, offline):
    row = appeal(learner, offline)

    with pytest.raises(DeciderRefusedError):
        give_back(row, make_staff("审计"), learner.clock.now)

    assert Appeal.objects.get().state == Appeal.State.OPEN
