from django.db import models


class ThrottleCounter(models.Model):
    """How often something was tried from one place within a window of time.

    `key` is a keyed hash of account, address or phone: the table tells nobody who tried.
    """

    class Scope(models.TextChoices):
        LOGIN_PAIR = "login_pair", "账号与地址"
        LOGIN_ACCOUNT = "login_account", "账号"
        LOGIN_ADDRESS = "login_address", "地址"
        CODE_PHONE = "code_phone", "验证码手机"
        CODE_ADDRESS = "code_address", "验证码地址"
        SECOND_FACTOR = "second_factor", "两步验证"
        NUMBER_PHONE = "number_phone", "证件号码核对"
        NOTICE_PHONE = "notice_phone", "通知短信手机"
        INVITE_UNIT = "invite_unit", "单位邀请经办人"
        INVITE_PHONE = "invite_phone", "受邀手机"
        REQUEST = "request", "业务申请"
        CONFIRM = "confirm", "密码确认"
        EXPORT = "own_export", "个人数据导出"
        CODE_REDEEM = "code_redeem", "激活码输入"
        CODE_REDEEM_ADDRESS = "redeem_address", "激活码输入地址"
        CODE_SEARCH = "code_search", "激活码赠送查找"
        SUPPORT_ADDRESS = "support_address", "客服咨询地址"

    scope = models.CharField("类别", max_length=16, choices=Scope)
    key = models.CharField("键", max_length=64)
    count = models.PositiveIntegerField("次数", default=0)
    window_started_at = models.DateTimeField("开始时间")

    class Meta:
        verbose_name = "尝试次数"
        verbose_name_plural = "尝试次数"
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="throttle_once")
        ]
        indexes = [models.Index(fields=["window_started_at"], name="throttle_by_age")]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.count}"
