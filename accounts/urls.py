from django.urls import path

from accounts.views import (
    activation,
    captcha,
    closing,
    login,
    messages,
    notices,
    passwords,
    phone,
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
    path("accounts/activate/", activation.activate, name="activate"),
    path("accounts/activate/details/", activation.details, name="activate-details"),
    path("accounts/captcha/", captcha.renew, name="captcha-renew"),
    path("accounts/captcha/<slug:key>/", captcha.image, name="captcha-image"),
    path("accounts/login/", login.login, name="login"),
    path("accounts/logout/", login.logout, name="logout"),
    path("accounts/password-reset/", passwords.reset, name="password-reset"),
    path("accounts/password-change/", passwords.change, name="password-change"),
    path("accounts/profile/", profile.profile, name="profile"),
    path("accounts/profile/username/", profile.username, name="username-change"),
    path("accounts/profile/phone/", phone.change, name="phone-change"),
    path("accounts/close/", closing.close, name="close"),
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
