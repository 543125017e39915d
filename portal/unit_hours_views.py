"""单位工作台 · 学时登记: hours that a unit records for its people."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import NoMembershipError
from accounts.forms.fields import ReasonField
from accounts.models import UnitMember, User
from accounts.queries.units import find_members_by_account, get_member_of
from accounts.rules.accounts import canonical_account
from accounts.views.unit_desk import Desk, at_desk
from learning.errors import LearningError, UnitHoursNotFoundError
from learning.models import UnitHours
from learning.queries.hours import find_unit_hours, get_unit_hours_of
from learning.rules.hours import FIRST_YEAR, Training
from learning.services.unit_hours import record_unit_hours, withdraw_unit_hours

ROWS_PER_PAGE = 20
# One training: all of a unit of a few hundred at once; larger ones record it in parts.
MOST_PEOPLE = 500
# Of lines that name nobody: enough to see what is wrong with all of them.
NAMED_LINES = 10


def list_years() -> list[tuple[int, str]]:
    this_year = timezone.localdate().year
    return [(year, f"{year}年") for year in range(this_year, FIRST_YEAR - 1, -1)]


class RecordsForm(forms.Form):
    """Which of the unit's records."""

    year = forms.TypedChoiceField(
        label="年度", coerce=int, choices=list_years, required=False
    )
    q = forms.CharField(label="姓名", max_length=40, required=False)
    state = forms.ChoiceField(
        label="状态", required=False, choices=[("", "全部"), *UnitHours.State.choices]
    )


class TrainingForm(forms.Form):
    """One training, and who of the unit took part unless the page says so already."""

    people = forms.CharField(
        label="参加人员",
        max_length=60 * MOST_PEOPLE,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
        help_text=(
            "本单位人员的身份证号码、手机号码或用户名，每行一个，"
            f"一次最多 {MOST_PEOPLE} 人"
        ),
    )
    year = forms.TypedChoiceField(label="计入年度", coerce=int, choices=list_years)
    kind = forms.ChoiceField(label="培训形式", choices=UnitHours.Kind.choices)
    content = forms.CharField(label="培训内容", max_length=80)
    organiser = forms.CharField(label="举办单位或地点", max_length=80)
    starts_on = forms.DateField(
        label="开始日期",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    ends_on = forms.DateField(
        label="结束日期",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    hours = forms.IntegerField(label="学时", min_value=1, max_value=1000)
    result = forms.CharField(
        label="考核结果", max_length=40, help_text="例如：合格、取得结业证书"
    )

    def __init__(
        self, *args: Any, desk: Desk, member: UnitMember | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.desk = desk
        self.found: list[User] = [member.person] if member else []
        if member:
            del self.fields["people"]

    def clean_people(self) -> str:
        """Find each person; who is unknown and who is elsewhere are told alike."""
        text: str = self.cleaned_data["people"]
        accounts = {
            number: canonical_account(line)
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip()
        }
        if len(accounts) > MOST_PEOPLE:
            raise ValidationError(f"一次最多登记 {MOST_PEOPLE} 人")
        people = find_members_by_account(self.desk.unit, accounts.values())
        missing = [
            f"第 {number} 行（尾号 {account[-4:]}）"
            for number, account in accounts.items()
            if account not in people
        ]
        if missing:
            named = "、".join(missing[:NAMED_LINES])
            rest = f"等 {len(missing)} 行" if len(missing) > NAMED_LINES else ""
            raise ValidationError(f"{named}{rest}不在本单位人员名单中")
        self.found = list(people.values())
        return text

    def read_training(self) -> Training:
        data = dict(self.cleaned_data)
        data.pop("people", None)
        return Training(**data)


class WithdrawalForm(forms.Form):
    """Why a record is taken back; the person reads it."""

    reason = ReasonField(
        label="撤回原因",
        min_length=2,
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="例如：学时填错。学员可见，请勿填写号码。",
    )


@never_cache
@require_safe
@at_desk
def index(request: HttpRequest, desk: Desk) -> HttpResponse:
    this_year = timezone.localdate().year
    form = RecordsForm(request.GET if request.GET else {"year": this_year})
    form.is_valid()
    data = form.cleaned_data
    year = data.get("year") or this_year
    found = find_unit_hours(
        desk.unit, year=year, name=data.get("q", ""), state=data.get("state", "")
    )
    pages = Paginator(found, ROWS_PER_PAGE)
    context = {
        "desk": desk,
        "form": form,
        "year": year,
        "page_obj": pages.get_page(request.GET.get("page")),
    }
    return render(request, "portal/unit/hours.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def record(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Record one training: of the member that the address names, or of those typed in."""
    member = find_member(desk, request.GET.get("person", ""))
    form = TrainingForm(
        request.POST if request.method == "POST" else None, desk=desk, member=member
    )
    if request.method == "POST" and form.is_valid():
        training = form.read_training()
        try:
            rows = record_unit_hours(
                unit=desk.unit,
                people=form.found,
                training=training,
                actor=desk.coordinator,
                now=timezone.now(),
            )
        except LearningError as error:
            form.add_error(None, error.message)
        else:
            messages.success(
                request,
                f"已为 {len(rows)} 人登记“{training.content}”{training.hours} 学时。",
            )
            return to_index(training.year)
    context = {"desk": desk, "form": form, "member": member}
    return render(request, "portal/unit/hours_form.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@at_desk
def withdraw(request: HttpRequest, desk: Desk, code: str) -> HttpResponse:
    """Ask for the reason, then take the record back."""
    try:
        row = get_unit_hours_of(desk.unit, code)
    except UnitHoursNotFoundError as error:
        raise Http404(error.message) from None
    form = WithdrawalForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            withdraw_unit_hours(
                record=row,
                reason=form.cleaned_data["reason"],
                actor=desk.coordinator,
                now=timezone.now(),
            )
        except LearningError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"已撤回{row.person.name}的“{row.content}”。")
            return to_index(row.year)
    context = {"desk": desk, "form": form, "row": row}
    return render(request, "portal/unit/hours_withdraw.html", context)


def find_member(desk: Desk, code: str) -> UnitMember | None:
    """The member that an address names; 404 for one of elsewhere."""
    if not code:
        return None
    try:
        return get_member_of(desk.unit, code)
    except NoMembershipError as error:
        raise Http404(error.message) from None


def to_index(year: int) -> HttpResponse:
    response = redirect("unit-hours")
    response["Location"] += f"?{urlencode({'year': year})}"
    return response
