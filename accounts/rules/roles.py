"""The staff's roles (security.md): who may do what in the admin, as names of permissions.

A coordinator (单位经办人) is none of them: an ordinary account with a live `UnitAppointment`.
A district supervisor sees what the role names only of the regions of its `SupervisedRegion`s
(`accounts.admin.base.RegionScopedAdmin`); pages without that scope are closed to the role.

Duties are kept apart: whoever manages accounts and plans touches no money, whoever touches
money sets no permissions, and the audit role reads everything and changes nothing.
"""

from collections.abc import Iterable, Mapping

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

_READ = ("view",)
_WRITE = ("view", "add", "change")
_ALL = ("view", "add", "change", "delete")


def _grant(actions: Iterable[str], *models: str) -> list[str]:
    return [f"{model}.{action}" for model in models for action in actions]


_PEOPLE = (
    *("accounts.user", "accounts.profile", "accounts.unit", "accounts.region"),
    *("accounts.unitmember", "accounts.coordinatorinvitation"),
)
_STUDIES = (
    "learning.enrolment",
    "learning.chapterprogress",
    "learning.coursecompletion",
    "learning.refusedtime",
)
_PAPERS = ("certificates.certificate", "certificates.certificateissue")
_PAPER_DECISIONS = (
    "certificates.certificate.revoke_certificate",
    "certificates.certificateissue.retry_certificateissue",
)
_ORDERS = ("orders.order", "orders.orderline", "orders.orderevent")
_PAYMENTS = (
    "orders.paymentattempt",
    "orders.gatewaymessage",
    "orders.invoicerequest",
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
        *_grant(_WRITE, *_CATALOGUE),
        *_grant(
            _ALL,
            "catalog.plancourse",
            "content.article",
            "content.download",
            "content.hotline",
        ),
        *_grant(_READ, *_STUDIES, *_PAPERS, *_ORDERS),
        *_grant(_WRITE, "support.conversation", "support.conversationmessage"),
        *_grant(_READ, "accounts.personrequest"),
        DECIDE,
        UNMASK,
    ),
    FINANCE: (
        *_grant(_READ, "accounts.user", "accounts.profile", "accounts.unit"),
        *_grant(_READ, *_ORDERS, *_PAYMENTS),
        *_grant(("view", "change"), "orders.paymentexception"),
        "orders.order.export_order",
        "invoices.invoice.retry_invoice",
    ),
    REVIEW: (
        *_grant(_READ, *_PEOPLE, *_STUDIES, *_PAPERS, *_ORDERS),
        *_PAPER_DECISIONS,
        *_grant(_READ, "accounts.personrequest"),
        DECIDE,
        DECIDE_IDENTITY,
        *_grant(_READ, "accounts.registrationlist"),
        DECIDE_LISTS,
        UNMASK,
    ),
    SYSTEM: (
        *_grant(_WRITE, "accounts.user"),
        *_grant(_READ, "auth.group", "accounts.message", "accounts.staffdevice"),
        *_grant(("view", "add", "delete"), "accounts.supervisedregion"),
        RESET_DEVICE,
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
            "orders.paymentexception",
        ),
    ),
    SUPERVISOR: (*_grant(_READ, *_PEOPLE, "accounts.unitappointment"),),
}


def split_permission(name: str) -> tuple[str, str, str]:
    """`app.model.action` as (app label, model name, codename)."""
    app, model, action = name.split(".")
    codename = f"{action}_{model}" if action in _ALL else action
    return app, model, codename
