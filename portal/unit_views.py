"""单位工作台: the pages that span apps; the others are accounts.views.units."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import UnitMember, User
from accounts.views.unit_desk import Desk, at_desk
from catalog.models import Subject
from learning.rules.hours import FIRST_YEAR
from portal.lib.file_responses import attachment
from portal.lib.spreadsheet import XLSX, write_sheet
from portal.unit_queries import MET, UNMET, find_progress, get_overview

PEOPLE_PER_PAGE = 20
# A unit of ten thousand is the largest the portal is built for; a sheet of more says so.
ROWS_IN_SHEET = 10_000
COLUMNS = (
    *(("姓名", 14), ("证件号码", 22), ("手机号码", 16), ("账号状态", 12)),
    *(("年度", 8), ("公需学时", 12), ("专业学时", 12), ("年度要求", 12)),
)


class ProgressForm(forms.Form):
    """Which year and which of the members."""

    year = forms.TypedChoiceField(label="年度", coerce=int, required=False)
    q = forms.CharField(label="姓名", max_length=40, required=False)
    standing = forms.ChoiceField(
        label="完成情况",
        required=False,
        choices=[("", "全部"), (MET, "已达到年度要求"), (UNMET, "未达到")],
    )

    def __init__(self, *args: Any, this_year: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        years = [(year, f"{year}年") for year in range(this_year, FIRST_YEAR - 1, -1)]
        self.fields["year"].choices = years  # type: ignore[attr-defined]


@never_cache
@require_safe
@at_desk
def overview(request: HttpRequest, desk: Desk) -> HttpResponse:
    now = timezone.now()
    year = timezone.localdate(now).year
    context = {"desk": desk, "overview": get_overview(desk.unit, year=year, now=now)}
    return render(request, "portal/unit/overview.html", context)


@never_cache
@require_safe
@at_desk
def progress(request: HttpRequest, desk: Desk) -> HttpResponse:
    form, filters = read_filters(request, now=timezone.now())
    pages = Paginator(find_progress(desk.unit, **filters), PEOPLE_PER_PAGE)
    context = {
        "desk": desk,
        "form": form,
        "year": filters["year"],
        "duty": settings.YEARLY_DUTY_HOURS,
        "page_obj": pages.get_page(request.GET.get("page")),
    }
    return render(request, "portal/unit/progress.html", context)


@never_cache
@require_safe
@at_desk
def export(request: HttpRequest, desk: Desk) -> HttpResponse:
    """The same rows as a sheet, with masked numbers."""
    _, filters = read_filters(request, now=timezone.now())
    members = list(find_progress(desk.unit, **filters)[: ROWS_IN_SHEET + 1])
    rows = [describe(member, filters["year"]) for member in members[:ROWS_IN_SHEET]]
    if len(members) > ROWS_IN_SHEET:
        rows.append((f"仅含前{ROWS_IN_SHEET}人，其余请筛选后分次导出。",))
    return attachment(
        write_sheet("学习进度", COLUMNS, rows),
        name=f"学习进度_{filters['year']}.xlsx",
        content_type=XLSX,
    )


def read_filters(
    request: HttpRequest, *, now: datetime
) -> tuple[ProgressForm, dict[str, Any]]:
    """The form, and what it asks for; a field with nonsense counts as empty."""
    this_year = timezone.localdate(now).year
    form = ProgressForm(
        request.GET if request.GET else {"year": this_year}, this_year=this_year
    )
    form.is_valid()
    data = form.cleaned_data
    return form, {
        "year": data.get("year") or this_year,
        "name": data.get("q", ""),
        "standing": data.get("standing", ""),
    }


def describe(member: UnitMember, year: int) -> tuple[object, ...]:
    """A member's row of the sheet; the hours are annotations of `find_progress`."""
    person = member.person
    general: int = member.general  # type: ignore[attr-defined]
    professional: int = member.professional  # type: ignore[attr-defined]
    duty = settings.YEARLY_DUTY_HOURS
    is_met = general >= duty[Subject.GENERAL] and (
        professional >= duty[Subject.PROFESSIONAL]
    )
    return (
        person.name,
        person.masked_id_number,
        person.masked_phone,
        User.State(person.state).label,
        year,
        general,
        professional,
        "已达到" if is_met else "未达到",
    )
