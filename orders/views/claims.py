"""我的凭证: fee vouchers and commitment letters, handed in, looked at, corrected, withdrawn."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.errors import (
    AccountsError,
    CodeRefusedError,
    ProofRefusedError,
    RequestStateError,
)
from accounts.models import User
from accounts.rules.decisions import UNFINISHED
from accounts.services.files import read_private_file
from accounts.services.proofs import read_proofs
from accounts.views.visitors import get_browser
from orders.errors import ClaimNotFoundError, ClaimRefusedError, OrderError
from orders.forms.claims import FORMS, ClaimForm, SignForm
from orders.models import Claim
from orders.queries.claims import (
    get_claim_file_for,
    get_claim_for,
    list_claimable_plans,
    list_claims_for,
)
from orders.rules.claims import list_facts
from orders.services.claims import (
    check_plan,
    draft_letter,
    file_claim,
    resend_claim,
    sign_letter,
    take_claim_try,
    withdraw_claim,
)
from orders.views.buyers import user_of
from portal.lib.file_responses import inline
from portal.lib.masks import mask_numbers

State = Claim.State
TONES = {
    State.OPEN: "info",
    State.FIRST_APPROVED: "info",
    State.APPROVED: "success",
    State.RETURNED: "warning",
    State.REFUSED: "danger",
}


@never_cache
@require_safe
@login_required
def claim_list(request: HttpRequest) -> HttpResponse:
    rows = [describe(row) for row in list_claims_for(user_of(request))]
    return render(request, "orders/claims/list.html", {"rows": rows})


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def new(request: HttpRequest, kind: str) -> HttpResponse:
    """Hand in a voucher, or fill in a letter, read it and sign it."""
    if kind not in FORMS:
        raise Http404
    return serve(request, kind)


@never_cache
@require_safe
@login_required
def detail(request: HttpRequest, code: str) -> HttpResponse:
    row = get_own(request, code)
    wanted = row.wanted
    context = describe(row) | {
        "facts": list_facts(wanted),
        "letter": mask_numbers(wanted.get("letter", "")).splitlines(),
    }
    return render(request, "orders/claims/detail.html", context)


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
@login_required
def resend(request: HttpRequest, code: str) -> HttpResponse:
    """Correct a returned claim and send it again."""
    row = get_own(request, code)
    if row.state != State.RETURNED:
        return redirect("orders:claim", row.code)
    return serve(request, row.kind, returned=row)


@require_POST
@login_required
def withdraw(request: HttpRequest, code: str) -> HttpResponse:
    row = get_own(request, code)
    try:
        withdraw_claim(claim_id=row.pk, actor=user_of(request), now=timezone.now())
    except RequestStateError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "已撤回，证明材料已删除。")
    return redirect("orders:claim", row.code)


@never_cache
@require_safe
@login_required
def proof(request: HttpRequest, code: str, file: str) -> HttpResponse:
    """One of the own proofs, to be looked at."""
    try:
        found = get_claim_file_for(user_of(request), code, file)
        content = read_private_file(found)
    except (ClaimNotFoundError, FileNotFoundError) as error:
        raise Http404 from error
    return inline(content, name=found.name, content_type=found.content_type)


def get_own(request: HttpRequest, code: str) -> Claim:
    try:
        return get_claim_for(user_of(request), code)
    except ClaimNotFoundError as error:
        raise Http404(str(error)) from error


# --- The form ----------------------------------------------------------------------------


def serve(
    request: HttpRequest, kind: str, *, returned: Claim | None = None
) -> HttpResponse:
    """The form; of a letter, then the page that shows it for the signature."""
    form = build_form(request, kind, returned=returned)
    if request.method == "POST" and form.is_valid():
        if kind == Claim.Kind.COMMITMENT:
            answer = serve_letter(request, form, returned=returned)
        else:
            answer = hand_in(request, form, kind=kind, returned=returned)
        if answer is not None:
            return answer
    context = {
        "form": form,
        "kind": Claim.Kind(kind),
        "person": user_of(request),
        "has_plans": bool(form.plans),
        "returned": returned,
        "reason": describe(returned)["reason"] if returned else "",
    }
    return render(request, "orders/claims/form.html", context)


def build_form(
    request: HttpRequest, kind: str, *, returned: Claim | None = None
) -> ClaimForm:
    today = timezone.localdate()
    is_post = request.method == "POST"
    initial: dict[str, Any] = {"payer": user_of(request).name}
    if returned is not None:
        initial = returned.wanted | {"plan": returned.plan.code}
        if "amount_fen" in initial:
            initial["amount_fen"] = dict(list_facts(returned.wanted))["缴费金额（元）"]
    return FORMS[kind](
        request.POST if is_post else None,
        request.FILES if is_post else None,
        plans=list(list_claimable_plans(today=today)),
        today=today,
        needs_proofs=returned is None or not returned.files.exists(),
        initial=initial,
    )


def serve_letter(
    request: HttpRequest, form: ClaimForm, *, returned: Claim | None
) -> HttpResponse | None:
    """Show the letter that the form makes; with a signature under it, hand it in."""
    person, now = user_of(request), timezone.now()
    is_signed = "sign" in request.POST
    sign_form = SignForm(request.POST if is_signed else None)
    try:
        check_plan(person=person, plan=form.chosen_plan, now=now)
    except ClaimRefusedError as error:
        form.add_error(None, str(error))
        return None
    if is_signed and sign_form.is_valid() and sign(request, person, sign_form):
        answer = hand_in(request, form, kind=Claim.Kind.COMMITMENT, returned=returned)
        if answer is not None:
            return answer
        return None
    letter = draft_letter(
        person=person, plan=form.chosen_plan, wanted=form.wanted, now=now
    )
    context = {
        "form": sign_form,
        "filled": form,
        "letter": [mask_numbers(paragraph) for paragraph in letter],
        "person": person,
        "returned": returned,
    }
    return render(request, "orders/claims/letter.html", context)


def sign(request: HttpRequest, person: User, form: SignForm) -> bool:
    """Take the signature; False with words in the form."""
    try:
        sign_letter(
            person=person,
            name=form.cleaned_data["signature"],
            code=form.cleaned_data["code"],
            browser=get_browser(request),
            now=timezone.now(),
        )
    except CodeRefusedError as error:
        form.add_error("code", str(error))
    except (AccountsError, OrderError) as error:
        form.add_error("signature", str(error))
    return not form.errors


def hand_in(
    request: HttpRequest, form: ClaimForm, *, kind: str, returned: Claim | None
) -> HttpResponse | None:
    """File it, or send it again; None with an error in the form."""
    person, now = user_of(request), timezone.now()
    try:
        take_claim_try(person=person, now=now)
        known: dict[str, Any] = {
            "plan": form.chosen_plan,
            "wanted": form.wanted,
            "proofs": read_proofs(form.uploads) if form.uploads else [],
            "actor": person,
            "now": now,
        }
        if returned is not None:
            row = resend_claim(claim_id=returned.pk, **known)
        else:
            row = file_claim(kind=kind, person=person, **known)
    except ProofRefusedError as error:
        form.add_error("proofs", str(error))
        return None
    except (AccountsError, OrderError) as error:
        form.add_error(None, str(error))
        return None
    messages.success(
        request, f"{row.get_kind_display()}已提交，我们将在3个工作日内审核。"
    )
    return redirect("orders:claim", row.code)


def describe(row: Claim) -> dict[str, Any]:
    """A claim as its person sees it: how far it is, and what was said last."""
    events = list(row.events.all())
    reasons = [event.reason for event in events if event.reason]
    return {
        "row": row,
        "events": events,
        "files": list(row.files.all()),
        "tone": TONES.get(State(row.state), "muted"),
        "reason": reasons[-1] if reasons and row.decided_at else "",
        "may_resend": row.state == State.RETURNED,
        "may_withdraw": row.state in UNFINISHED,
    }
