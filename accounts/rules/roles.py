"""The staff's roles (security.md): who may do what in the admin, as names of permissions.

A coordinator (单位经办人) is none of them: an ordinary account with a live `UnitAppointment`.
A district supervisor sees what the role names only of the regions of its `SupervisedRegion`s
(`accounts.admin.base.RegionScopedAdmin`); pages without that scope are closed to the role.

Duties are kept apart: whoever manages accounts and plans touches no money, whoever touches
money sets no permissions, and the audit role reads everything and changes nothing. So no one
person is given roles that are apart (`find_role_conflict`).
"""

from collections.abc import Collection, Iterable, Mapping

BUSINESS = "业务"
FINANCE = "财务"
REVIEW = "审核"
SYSTEM = "系统"
AUDIT = "审计"
SUPERVISOR = "区县督导"

UNMASK = "accounts.user.unmask_personal_data"
RESET_DEVICE = "accounts.staffdevice.reset_staffdevice"
DECIDE = "accounts.personrequest.decide_personrequest"
DECIDE_IDENTITY = "accounts.personrequest.decide_identity"
DECIDE_LISTS = "accounts.registrationlist.decide_registrationlist"
RETRY_MESSAGE = "accounts.message.retry_message"
DECIDE_CLAIMS = "orders.claim.decide_claim"
INSPECT_HOURS = "learning.unithours.inspect_unithours"
DECIDE_APPEALS = "learning.appeal.decide_appeal"
CORRECT_CREDIT = "learning.creditdecision.correct_credit"
CLOSE_FLAGS = "learning.studyflag.close_studyflag"

_READ = ("view",)
_WRITE = ("view", "add", "change")
_ALL = ("view", "add", "change", "delete")


def _grant(actions: Iterable[str], *models: str) -> list[str]:
    return [f"{model}.{action}" for model in models for action in actions]


_PEOPLE = (
    *("accounts.user", "accounts.profile", "accounts.unit", "accounts.region"),
    *("accounts.unitmember", "accounts.coordinatorinvitation"),
)
_UNIT_HOURS = ("learning.unithours", "learning.unithoursevent")
_STUDIES = (
    "learning.enrolment",
    "learning.chapterprogress",
    "learning.coursecompletion",
    "learning.furtherright",
    "learning.refusedtime",
    *_UNIT_HOURS,
    "learning.creditedtime",
    "learning.creditdecision",
    "learning.appeal",
    "learning.studyflag",
)
_PAPERS = ("certificates.certificate", "certificates.certificateissue")
_PAPER_DECISIONS = (
    "certificates.certificate.revoke_certificate",
    "certificates.certificateissue.retry_certificateissue",
)
_ORDERS = (
    *("orders.order", "orders.orderline", "orders.orderevent"),
    *("orders.activationcode", "orders.codeimport"),
    *("orders.refund", "orders.refundline", "orders.refundtry"),
)
_PAYMENTS = (
    "orders.paymentattempt",
    "orders.gatewaymessage",
    "orders.invoicerequest",
    "orders.billday",
    "orders.billentry",
    "orders.billdifference",
    "invoices.invoice",
)
_CATALOGUE = (
    "catalog.plan",
    "catalog.plancourse",
    "catalog.course",
    "catalog.chapter",
    "catalog.lecturer",
    "catalog.question",
    "catalog.option",
    "catalog.video",
)

# Role to permissions, each "app.model.action"; an action that is none of Django's four is
# the codename of a permission of the model's own.
ROLES: Mapping[str, tuple[str, ...]] = {
    BUSINESS: (
        *_grant(_WRITE, "accounts.unit", "accounts.unitappointment"),
        *_grant(_ALL, "accounts.calendarday"),
        *_grant(("view", "add"), "accounts.registrationlist"),
        DECIDE_LISTS,
        *_grant(_READ, *_PEOPLE, "accounts.message", "accounts.consent"),
        RETRY_MESSAGE,
        *_grant(_WRITE, *_CATALOGUE),
        *_grant(_READ, "learning.questiontally"),
        *_grant(("view", "add"), "catalog.planprice"),
        *_grant(
            _ALL,
            "catalog.plancourse",
            "content.article",
            "content.download",
            "content.hotline",
        ),
        *_grant(_READ, *_STUDIES, *_PAPERS, *_ORDERS),
        *_grant(_WRITE, "support.conversation", "support.conversationmessage"),
        *_grant(_READ, "accounts.personrequest", "accounts.integrityrecord"),
        *_grant(("view", "change"), "orders.groupcheck"),
        DECIDE,
        *_grant(("view", "add"), "orders.claim"),
        DECIDE_CLAIMS,
        DECIDE_APPEALS,
        CLOSE_FLAGS,
        UNMASK,
    ),
    FINANCE: (
        *_grant(_READ, "orders.claim"),
        *_grant(_READ, "accounts.user", "accounts.profile", "accounts.unit"),
        *_grant(_READ, *_ORDERS, *_PAYMENTS),
        *_grant(("view", "change"), "orders.paymentexception"),
        "orders.billdifference.change",
        "orders.billday.run_billday",
        "orders.refund.decide_refund",
        "orders.refund.override_refund",
        "orders.order.export_order",
        "invoices.invoice.retry_invoice",
    ),
    REVIEW: (
        *_grant(_READ, *_PEOPLE, *_STUDIES, *_PAPERS, *_ORDERS),
        *_PAPER_DECISIONS,
        *_grant(_READ, "accounts.personrequest", "accounts.integrityrecord"),
        DECIDE,
        DECIDE_IDENTITY,
        *_grant(_READ, "orders.claim"),
        DECIDE_CLAIMS,
        *_grant(_READ, "accounts.registrationlist"),
        DECIDE_LISTS,
        INSPECT_HOURS,
        DECIDE_APPEALS,
        CORRECT_CREDIT,
        CLOSE_FLAGS,
        UNMASK,
    ),
    SYSTEM: (
        *_grant(_WRITE, "accounts.user"),
        *_grant(_READ, "auth.group", "accounts.message", "accounts.staffdevice"),
        *_grant(("view", "add", "delete"), "accounts.supervisedregion"),
        RESET_DEVICE,
        RETRY_MESSAGE,
        *_grant(_WRITE, "accounts.region"),
    ),
    AUDIT: (
        *_grant(_READ, *_PEOPLE, *_STUDIES, *_PAPERS, *_ORDERS, *_PAYMENTS),
        *_grant(
            _READ,
            "accounts.auditentry",
            "accounts.consent",
            "accounts.message",
            "accounts.personsession",
            "accounts.staffdevice",
            "accounts.supervisedregion",
            "accounts.registrationlist",
            "accounts.unitappointment",
            "accounts.personrequest",
            "accounts.integrityrecord",
            "orders.claim",
            "orders.paymentexception",
            "orders.groupcheck",
        ),
    ),
    SUPERVISOR: (
        *_grant(_READ, *_PEOPLE, "accounts.unitappointment", *_UNIT_HOURS),
        *_grant(_READ, "learning.appeal", "learning.studyflag"),
        INSPECT_HOURS,
    ),
}


# Beside another role the audit would change things, and a supervisor see other regions on
# the pages that have no scope.
_ALONE = (AUDIT, SUPERVISOR)
_APART = ((BUSINESS, FINANCE), (FINANCE, SYSTEM))


def find_role_conflict(roles: Collection[str]) -> str:
    """Why nobody may hold these roles together; empty if there is no reason."""
    for role in _ALONE:
        if role in roles and len(roles) > 1:
            return f"“{role}”不能与其他角色同时授予。"
    for one, other in _APART:
        if one in roles and other in roles:
            return f"“{one}”与“{other}”须由不同的人担任。"
    return ""


def split_permission(name: str) -> tuple[str, str, str]:
    """`app.model.action` as (app label, model name, codename)."""
    app, model, action = name.split(".")
    codename = f"{action}_{model}" if action in _ALL else action
    return app, model, codename
