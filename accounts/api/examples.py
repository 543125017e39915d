"""Examples and refusals of the app's login for the schema."""

from portal.lib.api_schema import (
    answer_example,
    given_example,
    problems,
    refusal_example,
)

LOG_IN = given_example(
    "login",
    {"account": "19900000001", "password": "至少八位的密码", "device": "我的手机"},
    "以手机号码登录",
)
LOGGED_IN = answer_example(
    "login",
    {
        "token": "f5v0x9c1rKbYtWqz0S8nVd2mJc7LhGpA3oEuTi6XyBk",
        "expires_at": "2026-06-29T10:00:00+08:00",
        "idle_seconds": 43200,
        "person": {"code": "7QK2M9XTABCDEFGH", "name": "赵一"},
    },
    "登录成功",
    "201",
)
REFUSED = [
    refusal_example(401, "login_refused", "用户名或密码错误。"),
    refusal_example(
        403,
        "captcha_required",
        "操作较频繁，请先填写图形验证码。",
        captcha={
            "key": "9f1c…",
            "image": "https://portal.example/accounts/captcha/9f1c…/",
        },
    ),
    refusal_example(
        403, "first_login_required", "该账号尚未启用，请先在网页上完成首次登录。"
    ),
    refusal_example(
        429,
        "login_throttled",
        "尝试次数过多，请15分钟后再试，或在网页上通过“忘记密码”重置密码。",
    ),
]
PROBLEMS_OF_LOGIN = problems(400, 401, 403, 429, 503)
PROBLEMS_OF_LOGOUT = problems(401, 429)
