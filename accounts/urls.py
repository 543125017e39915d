from django.urls import path

from accounts.views import (
    login,
    messages,
    notices,
    passwords,
    phone_lost,
    profile,
    registration,
    requests,
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
    path("accounts/phone-lost/", phone_lost.phone_lost, name="phone-lost"),
    path("accounts/phone-lost/sent/", phone_lost.sent, name="phone-lost-sent"),
    path("accounts/phone-lost/state/", phone_lost.state, name="phone-lost-state"),
    path("accounts/requests/", requests.request_list, name="requests"),
    path("accounts/requests/new/<slug:kind>/", requests.new, name="request-new"),
    path("accounts/requests/<slug:code>/", requests.detail, name="request"),
    path(
        "accounts/requests/<slug:code>/resend/",
        requests.resend,
        name="request-resend",
    ),
    path(
        "accounts/requests/<slug:code>/withdraw/",
        requests.withdraw,
        name="request-withdraw",
    ),
    path(
        "accounts/requests/<slug:code>/files/<slug:file>/",
        requests.proof,
        name="request-file",
    ),
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
