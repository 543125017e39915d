import pytest

from accounts.errors import (
    DeciderRefusedError,
    RequestMovedError,
    RequestRefusedError,
    RequestStateError,
)
from accounts.models import (
    AuditEntry,
    Message,
    PersonRequest,
    UnitAppointment,
    User,
)
from accounts.queries.requests import compare_request
from accounts.rules.decisions import PROOF_AGE
from accounts.services.audit import find_chain_fault
from accounts.services.request_decisions import (
    approve_request,
    refuse_request,
    return_request,
)
from accounts.services.requests import file_request, resend_request
from tests.factories.accounts import (
    UserFactory,
    make_id_number,
)
from tests.factories.requests import (
    file_appointment,
    file_lost_phone,
    file_name_change,
    file_number_change,
    make_proofs,
    make_staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewers(db):
    return [make_staff("审核"), make_staff("审核")]


def approve(row, actor, now, version=None):
    row.refresh_from_db()
    return approve_request(
        request_id=row.pk, seen_version=version or row.version, actor=actor, now=now
    )


def state_of(row):
    return PersonRequest.objects.get(pk=row.pk).state


def texts_to(phone):
    return [each.text for each in Message.objects.all() if each.recipient == phone]


def actions():
    return list(AuditEntry.objects.order_by("position").values_list("action", "actor"))


# --- Names: one decides --------------------------------------------------------------------
def test_a_name_is_changed_by_one_approval(owner, reviewers, now):
    row = file_name_change(owner, now=now)

    approve(row, reviewers[0], now)

    owner.refresh_from_db()
    row.refresh_from_db()
    assert owner.name == "赵易"
    assert (row.state, row.first_decider, row.second_decider) == (
        "approved",
        reviewers[0],
        None,
    )
    assert row.decided_at == now
    assert row.files.get().expires_at == now + PROOF_AGE
    assert actions() == [
        ("request.filed", owner.pk),
        ("account.name_changed", reviewers[0].pk),
        ("request.approved", reviewers[0].pk),
    ]
    assert not any("赵" in str(entry.detail) for entry in AuditEntry.objects.all())
    assert find_chain_fault() is None
    assert "姓名变更申请已通过" in texts_to(owner.phone)[0]
    [change] = compare_request(row).changes
    assert (change.old, change.new) == ("赵一", "赵易")


@pytest.mark.parametrize("file", [file_name_change, file_number_change])
def test_the_business_role_does_not_decide_identities(owner, now, file):
    row = file(owner, now=now)

    with pytest.raises(DeciderRefusedError):
        approve(row, make_staff("业务"), now)

    assert state_of(row) == "open"
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("role", ["财务", "系统", "审计", "区县督导"])
def test_other_roles_decide_nothing(owner, now, regions, role):
    row = file_appointment(owner, now=now)
    clerk = make_staff(role)
    known = {"request_id": row.pk, "seen_version": 1, "actor": clerk, "now": now}

    for decide in (
        lambda: approve_request(**known),
        lambda: return_request(**known, reason="退回"),
        lambda: refuse_request(**known, reason="不通过"),
    ):
        with pytest.raises(DeciderRefusedError):
            decide()

    assert state_of(row) == "open"
    assert UnitAppointment.objects.count() == 0


# --- ID numbers: two decide ----------------------------------------------------------------
def test_a_number_is_changed_by_two(owner, reviewers, now):
    row = file_number_change(owner, now=now)
    before = owner.id_number

    approve(row, reviewers[0], now)

    assert state_of(row) == "first_approved"
    assert User.objects.get(pk=owner.pk).id_number == before
    assert texts_to(owner.phone) == []

    approve(row, reviewers[1], now)

    owner = User.objects.get(pk=owner.pk)
    assert owner.id_number == make_id_number(7001)
    assert owner.id_kind == "id_card"
    row.refresh_from_db()
    assert (row.first_decider, row.second_decider) == tuple(reviewers)
    assert [name for name, _ in actions()] == [
        "request.filed",
        "request.first_approved",
        "account.id_number_changed",
        "request.approved",
    ]


def test_a_foreigners_number_changes_the_kind(owner, reviewers, now):
    row = file_request(
        kind="number_change",
        person=owner,
        wanted={"id_number": "931101199001010019"},
        proofs=make_proofs(),
        actor=owner,
        now=now,
    )

    for reviewer in reviewers:
        approve(row, reviewer, now)

    assert User.objects.get(pk=owner.pk).id_kind == "foreign_pr"


def test_the_same_member_cannot_approve_twice(owner, reviewers, now):
    row = file_number_change(owner, now=now)
    before = owner.id_number
    approve(row, reviewers[0], now)

    with pytest.raises(DeciderRefusedError, match="另一名工作人员复核"):
        approve(row, reviewers[0], now)

    assert state_of(row) == "first_approved"
    assert User.objects.get(pk=owner.pk).id_number == before


def test_a_number_of_another_account_is_refused_at_the_end(
    owner, stranger, reviewers, now
):
    row = file_number_change(owner, now=now)
    approve(row, reviewers[0], now)
    stranger.store_id_number(make_id_number(7001))
    stranger.save()
    before = owner.id_number

    with pytest.raises(RequestRefusedError, match="另一个账号"):
        approve(row, reviewers[1], now)

    assert state_of(row) == "first_approved"
    assert User.objects.get(pk=owner.pk).id_number == before
    assert compare_request(row).warnings == [
        "新证件号码已登记在另一个账号上，不能通过。"
    ]


# --- Returned, refused, moved on -----------------------------------------------------------
@pytest.mark.parametrize(
    ("decide", "state", "words"),
    [
        (return_request, "returned", "需要补充或更正"),
        (refuse_request, "refused", "未通过"),
    ],
)
def test_turned_down_with_a_reason(owner, reviewers, now, decide, state, words):
    row = file_name_change(owner, now=now)

    decide(
        request_id=row.pk,
        seen_version=1,
        reason="照片看不清",
        actor=reviewers[0],
        now=now,
    )

    owner.refresh_from_db()
    assert (state_of(row), owner.name) == (state, "赵一")
    event = row.events.get(kind=state)
    assert (event.reason, event.actor) == ("照片看不清", reviewers[0])
    [text] = texts_to(owner.phone)
    assert words in text
    assert "照片看不清" not in text
    assert row.files.get().expires_at == now + PROOF_AGE


def test_after_a_return_both_look_again(owner, reviewers, now):
    row = file_number_change(owner, now=now)
    approve(row, reviewers[0], now)
    row.refresh_from_db()
    return_request(
        request_id=row.pk,
        seen_version=row.version,
        reason="请补充户口簿",
        actor=reviewers[1],
        now=now,
    )
    resend_request(
        request=row,
        wanted={"id_number": make_id_number(7001)},
        proofs=[],
        actor=owner,
        now=now,
    )

    approve(row, reviewers[0], now)

    assert state_of(row) == "first_approved"


def test_staff_decide_on_what_they_have_seen(owner, reviewers, now):
    row = file_name_change(owner, now=now)
    seen = row.version
    return_request(
        request_id=row.pk, seen_version=1, reason="不清", actor=reviewers[0], now=now
    )
    row.refresh_from_db()
    resend_request(
        request=row, wanted={"name": "赵艺"}, proofs=[], actor=owner, now=now
    )

    with pytest.raises(RequestMovedError):
        approve(row, reviewers[1], now, version=seen)

    owner.refresh_from_db()
    assert owner.name == "赵一"


@pytest.mark.parametrize("state", ["approved", "returned", "refused", "withdrawn"])
def test_what_has_ended_is_not_decided_again(owner, reviewers, now, state):
    row = file_name_change(owner, now=now)
    PersonRequest.objects.update(state=state)

    with pytest.raises(RequestStateError):
        approve(row, reviewers[0], now)

    owner.refresh_from_db()
    assert owner.name == "赵一"


def test_whoever_filed_it_decides_nothing(owner, reviewers, now):
    row = file_request(
        kind="number_change",
        person=owner,
        wanted={"id_number": make_id_number(7001)},
        proofs=make_proofs(),
        actor=reviewers[0],
        now=now,
    )

    with pytest.raises(DeciderRefusedError, match="由您登记"):
        approve(row, reviewers[0], now)
    approve(row, reviewers[1], now)
    with pytest.raises(DeciderRefusedError):
        approve(row, reviewers[0], now)
    approve(row, make_staff("审核"), now)

    assert state_of(row) == "approved"


def test_nobody_decides_for_themselves(now):
    clerk = make_staff("审核")
    row = file_name_change(clerk, now=now, name="别名")
    found = file_lost_phone(UserFactory(name="周一"), now=now)
    meant = make_staff("审核")
    User.objects.filter(pk=meant.pk).update(is_staff=False)
    meant = User.objects.get(pk=meant.pk)
    own = file_lost_phone(meant, now=now, phone=7005)

    with pytest.raises(DeciderRefusedError, match="与本人有关"):
        approve(row, clerk, now)
    with pytest.raises(DeciderRefusedError, match="与本人有关"):
        approve(own, meant, now)

    assert {state_of(each) for each in (row, found, own)} == {"open"}
