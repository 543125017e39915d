"""How much a visitor may write."""

from datetime import timedelta

from accounts.rules.throttles import HOUR, Limit

# A person in need writes several short lines in a row; a script writes for hours.
BURST_PERIOD = timedelta(minutes=1)
BURST_LIMIT = 6
DAY_PERIOD = timedelta(days=1)
DAY_LIMIT = 100
# Conversations without login started from one address: schools and hospitals share one.
STARTS = Limit(20, HOUR)

TOPICS = (
    ("账号注册、登录", "账号注册、登录"),
    ("购买与支付", "购买与支付"),
    ("课程学习", "课程学习"),
    ("证书打印与查验", "证书打印与查验"),
    ("发票", "发票"),
    ("其他", "其他"),
)


def may_write(*, in_burst_period: int, in_day_period: int) -> bool:
    """Whether a visitor who wrote so many messages lately may write one more."""
    return in_burst_period < BURST_LIMIT and in_day_period < DAY_LIMIT
