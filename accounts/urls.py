from django.urls import path

from accounts.views import (
    coordinators,
    invitations,
    login,
    messages,
    notices,
    passwords,
    profile,
    registration,
    unit_desk,
    units,
    wechat,
)

app_name = "accounts"
urlpatterns = [
    path("accounts/register/", registration.register, name="register"),
    path("accounts/register/confirm/", registration.confirm, name="register-confirm"),
    path("accounts/register/done/", registration.done, name="register-done"),
    path("accounts/send-code/", messages.send, name="send-code"),
    path("accounts/units/", profile.unit_search, name="unit-search"),
    path("accounts/levels/", profile.level_options, name="level-options"),
    path("accounts/login/", login.login, name="login"),
    path("accounts/logout/", login.logout, name="logout"),
    path("accounts/password-reset/", passwords.reset, name="password-reset"),
    path("accounts/password-change/", passwords.change, name="password-change"),
    path("accounts/profile/", profile.profile, name="profile"),
    path(
        "accounts/profile/units/<slug:code>/leave/",
        profile.leave_unit,
        name="unit-leave",
    ),
    path("accounts/profile/username/", profile.username, name="username-change"),
    path("unit/choose/", unit_desk.choose, name="unit-choose"),
    path("unit/members/", units.members, name="unit-members"),
    path(
        "unit/members/<slug:code>/remove/",
        units.remove_member,
        name="unit-member-remove",
    ),
    path("unit/coordinators/", coordinators.coordinators, name="unit-coordinators"),
    path(
        "unit/coordinators/<slug:code>/end/",
        coordinators.end,
        name="unit-coordinator-end",
    ),
    path(
        "unit/invitations/<slug:code>/withdraw/",
        coordinators.withdraw,
        name="unit-invitation-withdraw",
    ),
    path("unit/details/", units.details, name="unit-details"),
    path("invitation/", invitations.invitation, name="invitation"),
    path("invitation/<slug:token>/", invitations.open_link, name="invitation-link"),
    path("accounts/notices/<slug:kind>/", notices.notice, name="notice"),
    path(
        "accounts/notices/<slug:kind>/<slug:version>/",
        notices.notice,
        name="notice-version",
    ),
    path("message-box/", messages.message_box, name="message-box"),
    path("wechat/login/", wechat.start, name="wechat-login"),
    path("wechat/callback/", wechat.callback, name="wechat-callback"),
    path("wechat/link/", wechat.link, name="wechat-link"),
    path("wechat/unlink/", wechat.unlink, name="wechat-unlink"),
]
