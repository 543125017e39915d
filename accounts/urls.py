from django.urls import path

from accounts.views import (
    lists,
    login,
    messages,
    notices,
    passwords,
    profile,
    registration,
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
    path("accounts/profile/username/", profile.username, name="username-change"),
    path("accounts/notices/<slug:kind>/", notices.notice, name="notice"),
    path(
        "accounts/notices/<slug:kind>/<slug:version>/",
        notices.notice,
        name="notice-version",
    ),
    path("unit/lists/", lists.index, name="list-index"),
    path("unit/lists/template/", lists.template, name="list-template"),
    path("unit/lists/upload/", lists.upload, name="list-upload"),
    path("unit/lists/<slug:code>/", lists.detail, name="list-detail"),
    path("unit/lists/<slug:code>/submit/", lists.submit, name="list-submit"),
    path("unit/lists/<slug:code>/withdraw/", lists.withdraw, name="list-withdraw"),
    path("unit/lists/<slug:code>/errors/", lists.errors, name="list-errors"),
    path("unit/lists/<slug:code>/results/", lists.results, name="list-results"),
    path("unit/lists/<slug:code>/renew/", lists.renew_file, name="list-renew-file"),
    path("message-box/", messages.message_box, name="message-box"),
    path("wechat/login/", wechat.start, name="wechat-login"),
    path("wechat/callback/", wechat.callback, name="wechat-callback"),
    path("wechat/link/", wechat.link, name="wechat-link"),
    path("wechat/unlink/", wechat.unlink, name="wechat-unlink"),
]
