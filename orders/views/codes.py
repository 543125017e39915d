"""我的激活码: what one has bought and been given, giving, printing, using."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.core import signing
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from accounts.models import User
from accounts.tasks import deliver_messages
from accounts.views.visitors import get_address
from orders.errors import CodeNotFoundError, OrderError
from orders.forms import PrintForm, RecipientForm, RedeemForm
from orders.models import ActivationCode
from orders.queries import codes as queries
from orders.queries.codes import CodeSums
from orders.rules import CARDS_A_SHEET, is_usable
from orders.services.codes import (
    activate_code,
    find_recipients,
    give_code,
    print_codes,
    redeem_code,
)
from orders.views.buyers import user_of
from portal.lib.file_responses import attachment
from portal.lib.masks import mask_name

CODES_PER_PAGE = 50
# Proves that the person was found by a search of the giver's, a while ago.
FOUND_SALT = "orders.codes.found"
FOUND_SECONDS = 900


@login_required
@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    user, today = user_of(request), timezone.localdate()
    given = [
        (code, is_usable(training_end=code.plan.training_end, today=today))
        for code in queries.list_codes_given_to(user)
    ]
    context = {"given": given, "bought": queries.list_code_sums(user)}
    return render(request, "orders/codes/index.html", context)


def sums_or_404(request: HttpRequest, plan: str) -> CodeSums:
    """The own codes of a plan; the only door of these views to them."""
    try:
        return queries.get_code_sums_for(user_of(request), plan)
    except CodeNotFoundError as error:
        raise Http404(str(error)) from error


@login_required
@never_cache
@require_GET
def of_plan(request: HttpRequest, plan: str) -> HttpResponse:
    sums, user = sums_or_404(request, plan), user_of(request)
    state = request.GET.get("state", "")
    if state not in ActivationCode.State.values:
        state = ""
    rows = queries.list_codes_of(user, sums.plan, state=state)
    page = Paginator(rows, CODES_PER_PAGE).get_page(request.GET.get("page"))
    today = timezone.localdate()
    context = {
        "sums": sums,
        "plan": sums.plan,
        "state": state,
        "page_obj": page,
        "rows": [(code, _describe_person(code)) for code in page],
        "is_usable": is_usable(training_end=sums.plan.training_end, today=today),
        "runs": queries.list_print_runs(user, sums.plan),
        "most_cards": min(CARDS_A_SHEET, sums.unprinted),
        "imports": queries.list_imports_of(user, sums.plan)[:5],
        "sells": sums.plan.sells_codes and sums.plan.is_on_sale(today),
    }
    return render(request, "orders/codes/plan.html", context)


def _describe_person(code: ActivationCode) -> str:
    """Whom the owner has given it to by name; of who used a paper only what a mask leaves."""
    if code.person is None:
        return ""
    if code.given_at is not None:
        return f"{code.person.name} {code.person.masked_phone}".strip()
    return mask_name(code.person.name)


# --- Giving --------------------------------------------------------------------------------


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def give(request: HttpRequest, plan: str) -> HttpResponse:
    """添加人员: look for somebody, see who was found, give."""
    sums, user = sums_or_404(request, plan), user_of(request)
    if "found" in request.POST:
        return _give_found(request, sums, user)
    form = RecipientForm(request.POST if request.method == "POST" else None)
    found: list[tuple[User, str]] = []
    if request.method == "POST" and form.is_valid():
        try:
            people = find_recipients(
                owner=user,
                account=form.cleaned_data["account"],
                name=form.cleaned_data["name"],
                now=timezone.now(),
            )
            found = [(person, _sign(user, sums, person)) for person in people]
        except OrderError as error:
            form.add_error(None, str(error))
    context = {"sums": sums, "plan": sums.plan, "form": form, "found": found}
    return render(request, "orders/codes/give.html", context)


def _sign(user: User, sums: CodeSums, person: User) -> str:
    return signing.dumps([user.code, sums.plan.code, person.code], salt=FOUND_SALT)


def _give_found(request: HttpRequest, sums: CodeSums, user: User) -> HttpResponse:
    here = redirect("orders:codes-give", sums.plan.code)
    try:
        giver, plan, code = signing.loads(
            request.POST["found"], salt=FOUND_SALT, max_age=FOUND_SECONDS
        )
    except (signing.BadSignature, ValueError):
        messages.error(request, "页面已过期，请重新查找。")
        return here
    person = User.objects.filter(code=code).first()
    if (giver, plan) != (user.code, sums.plan.code) or person is None:
        raise Http404
    try:
        give_code(owner=user, plan=sums.plan, person=person, now=timezone.now())
    except OrderError as error:
        messages.error(request, str(error))
        return here
    deliver_messages.delay_on_commit()
    messages.success(request, f"已将激活码赠送给{person.name}，并短信通知本人。")
    return here


@login_required
@require_POST
def print_sheet(request: HttpRequest, plan: str) -> HttpResponse:
    """The cards as a PDF; a POST, since codes come out into the open."""
    sums = sums_or_404(request, plan)
    form = PrintForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"请填写 1 到 {CARDS_A_SHEET} 的打印数量。")
        return redirect("orders:codes-plan", plan)
    try:
        paper = print_codes(
            owner=user_of(request),
            plan=sums.plan,
            count=form.cleaned_data["count"] or CARDS_A_SHEET,
            again=form.cleaned_data["again"],
            now=timezone.now(),
        )
    except OrderError as error:
        messages.error(request, str(error))
        return redirect("orders:codes-plan", plan)
    name = f"激活码-{sums.plan.code}-{timezone.localtime():%Y%m%d%H%M}.pdf"
    return attachment(paper, name=name, content_type="application/pdf")


# --- Using ---------------------------------------------------------------------------------


@login_required
@require_POST
def activate(request: HttpRequest, number: str) -> HttpResponse:
    """Use a code that one was given."""
    try:
        code = activate_code(person=user_of(request), number=number, now=timezone.now())
    except CodeNotFoundError as error:
        raise Http404(str(error)) from error
    except OrderError as error:
        messages.error(request, str(error))
        return redirect("orders:codes")
    return _lead_to_study(request, code)


@never_cache
@require_http_methods(["GET", "POST"])
def redeem(request: HttpRequest) -> HttpResponse:
    """激活: type a code, or come by the QR code of a card.

    The page itself is open: the code behind the # must get past the login, and only a page
    of ours with a script can keep it for this tab meanwhile.
    """
    if not isinstance(request.user, User):
        if request.method == "POST":
            return redirect_to_login(reverse("orders:code-redeem"))
        return render(request, "orders/codes/redeem.html", {"form": RedeemForm()})
    form = RedeemForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            code = redeem_code(
                person=request.user,
                typed=form.cleaned_data["code"],
                address=get_address(request),
                now=timezone.now(),
            )
        except OrderError as error:
            form.add_error("code", str(error))
        else:
            return _lead_to_study(request, code)
    return render(request, "orders/codes/redeem.html", {"form": form})


def _lead_to_study(request: HttpRequest, code: ActivationCode) -> HttpResponse:
    messages.success(request, f"激活成功，“{code.plan.title}”已开通。")
    return redirect("learning:course-list", code.plan.code)
