"""People in the admin: masked everywhere, found by number without it standing in an address."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.cache import never_cache

from accounts.admin.base import (
    AuditedAdmin,
    ReadOnlyInline,
    RegionScopedAdmin,
    get_actor,
    get_region_scope,
)
from accounts.forms.staff import NumberForm, ReasonForm, RightsForm, StaffForm
from accounts.models import Consent, Profile, SupervisedRegion, User
from accounts.queries import find_person_by_number
from accounts.queries.closing import list_closed_accounts
from accounts.queries.supervision import read_rights
from accounts.rules.accounts import looks_like_number
from accounts.rules.series import level_name, series_name
from accounts.services.staff import create_staff, save_account, unmask_person

NOTHING = "—"
CHANNELS = {"web": "网站"}


class ProfileInline(ReadOnlyInline):
    model = Profile
    fields = (
        ("region", "unit"),
        "unit_name",
        ("series_text", "level_text", "education"),
        "updated_at",
    )
    readonly_fields = ("series_text", "level_text")

    # `empty_value` counts in lists only; a form would print "None".
    @admin.display(description="专业序列")
    def series_text(self, profile: Profile) -> str:
        return series_name(profile.series) or NOTHING

    @admin.display(description="专业级别")
    def level_text(self, profile: Profile) -> str:
        return level_name(profile.level) or NOTHING


class ConsentInline(ReadOnlyInline):
    model = Consent
    template = "admin/edit_inline/tabular.html"
    fields = ("kind", "version", "given_at", "channel_text")
    readonly_fields = ("channel_text",)

    @admin.display(description="渠道")
    def channel_text(self, consent: Consent) -> str:
        return CHANNELS.get(consent.channel, consent.channel)


class SupervisedRegionInline(admin.TabularInline):
    """Of a district supervisor; the role itself is one of the groups."""

    model = SupervisedRegion
    autocomplete_fields = ("region",)
    extra = 0


@admin.register(User)
class UserAdmin(RegionScopedAdmin, AuditedAdmin):
    """`change` covers what an account may do; name and numbers are not changed here."""

    form = RightsForm
    region_path = "profile__region"

    list_display = (
        "name",
        "username",
        "masked_id_number",
        "masked_phone",
        "state",
        "joined_on",
    )
    list_filter = ("state", "is_staff", "groups")
    search_fields = ("name", "username")
    search_help_text = "按姓名或用户名查找；按证件号码、手机号码请用下方“按号码查找”。"
    show_full_result_count = False
    ordering = ("-date_joined",)
    list_per_page = 50
    inlines = (ProfileInline, ConsentInline)
    change_list_template = "admin/accounts/user/change_list.html"
    change_form_template = "admin/accounts/user/change_form.html"
    add_fields = ("username", "name", "email", "password", "groups")
    fieldsets = (
        (
            "身份",
            {
                "fields": (
                    "name",
                    "username",
                    ("id_kind", "masked_id_number"),
                    ("masked_phone", "email"),
                    "code",
                )
            },
        ),
        ("账号", {"fields": (("state", "is_active"), ("date_joined", "last_login"))}),
        ("权限", {"fields": (("is_staff", "is_superuser"), "groups")}),
    )
    # Of an account in use, e-mail, is_active, is_staff and groups may be changed.
    fixed_fields = (
        *("name", "username", "id_kind", "masked_id_number", "masked_phone", "code"),
        *("state", "date_joined", "last_login", "is_superuser"),
    )

    @admin.display(description="证件号码")
    def masked_id_number(self, user: User) -> str:
        return user.masked_id_number or NOTHING

    @admin.display(description="手机号码")
    def masked_phone(self, user: User) -> str:
        return user.masked_phone or NOTHING

    @admin.display(description="注册日期", ordering="date_joined")
    def joined_on(self, user: User) -> str:
        return f"{timezone.localdate(user.date_joined):%Y-%m-%d}"

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "groups":
            kwargs["widget"] = CheckboxSelectMultiple
            kwargs["label"] = "角色"
            kwargs["help_text"] = "角色决定可使用的管理功能。"
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("find/", self.admin_site.admin_view(self.find_view), name="user_find"),
            path(
                "<str:code>/unmask/",
                self.admin_site.admin_view(never_cache(self.unmask_view)),
                name="user_unmask",
            ),
        ]
        for pattern in own:
            pattern.name = f"accounts_{pattern.name}"
        return own + super().get_urls()

    # --- What may be seen and changed --------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": self.add_fields}),)
        return super().get_fieldsets(request, obj)

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        if obj is None:
            return StaffForm
        return super().get_form(request, obj, change, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: User | None) -> Any:
        if obj is None:
            return ()
        return (*self.inlines, SupervisedRegionInline) if obj.is_staff else self.inlines

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        if obj is None:
            return ()
        return self.fixed_fields

    def has_change_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        """Nobody gives rights to themselves, and only superusers touch superusers."""
        actor = get_actor(request)
        if obj is not None and obj.pk == actor.pk:
            return False
        if obj is not None and obj.is_superuser and not actor.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: User, form: Any, change: bool
    ) -> None:
        if change:
            own = {"email", "is_active", "is_staff"}
            changed = own.intersection(form.changed_data)
            save_account(person=obj, changed=changed, now=timezone.now())
            return
        create_staff(
            person=obj,
            password=form.cleaned_data["password"],
            actor=get_actor(request),
            now=timezone.now(),
        )

    def describe_for_audit(self, obj: User) -> Mapping[str, bool | list[str]]:
        """Who could do what from then on, not only that something about it was changed."""
        return read_rights(obj)

    # --- Finding and unmasking ---------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Numbers are not searched for by address: it ends in histories and logs."""
        if looks_like_number(search_term):
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"number_form": NumberForm()} | (extra_context or {})
        if looks_like_number(request.GET.get("q", "")):
            messages.warning(request, "请使用“按号码查找”，号码不应出现在网址中。")
        return super().changelist_view(request, context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {
            "may_unmask": may_see_numbers(request),
            "may_file": get_actor(request).has_perm("accounts.decide_personrequest"),
        } | (extra_context or {})
        return super().change_view(request, object_id, form_url, context)

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Open the person with exactly this number."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = NumberForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            person = find_person_by_number(form.cleaned_data["number"])
            if person is None:
                # A closed account has given its number back.
                person = list_closed_accounts(form.cleaned_data["number"]).first()
            # Who is outside the own regions is nobody here.
            if person and self.get_queryset(request).filter(pk=person.pk).exists():
                return redirect("admin:accounts_user_change", person.pk)
            messages.warning(request, "没有使用该号码的账号。")
        return redirect("admin:accounts_user_changelist")

    def unmask_view(self, request: HttpRequest, code: str) -> HttpResponse:
        """Ask for the reason; after it, show the full numbers once."""
        actor = get_actor(request)
        if not may_see_numbers(request):
            raise PermissionDenied
        person = get_object_or_404(User, code=code)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        numbers = None
        if request.method == "POST" and form.is_valid():
            numbers = unmask_person(
                person=person,
                actor=actor,
                reason=form.cleaned_data["reason"],
                now=timezone.now(),
            )
        context = self.admin_site.each_context(request) | {
            "title": "查看完整号码",
            "person": person,
            "form": form,
            "numbers": numbers,
            "opts": User._meta,
        }
        return TemplateResponse(request, "admin/accounts/user/unmask.html", context)


def may_see_numbers(request: HttpRequest) -> bool:
    """Full numbers are not for who is bound to regions, whatever the other roles say."""
    may_unmask = get_actor(request).has_perm("accounts.unmask_personal_data")
    return may_unmask and get_region_scope(request) is None
