"""What the app's login takes and gives."""

from typing import Any

from rest_framework import serializers

from accounts.services.login import LONGEST_PASSWORD


class LoginSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(
        max_length=60, help_text="手机号码、用户名或证件号码"
    )
    password = serializers.CharField(
        max_length=LONGEST_PASSWORD, trim_whitespace=False, help_text="密码"
    )
    device = serializers.CharField(
        max_length=40, help_text="设备名称，在“登录设备”中显示"
    )
    captcha_key = serializers.CharField(
        max_length=40,
        required=False,
        default="",
        help_text="captcha_required 给出的图片编号",
    )
    captcha_answer = serializers.CharField(
        max_length=10, required=False, default="", help_text="图中数字"
    )

    def validate_device(self, device: str) -> str:
        if not device.isprintable():
            raise serializers.ValidationError("设备名称中不能有控制字符。")
        return device


class AppPersonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="账号编号")
    name = serializers.CharField(help_text="姓名")


class AppLoginSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="令牌，只给出这一次")
    expires_at = serializers.DateTimeField(help_text="最迟到这时失效")
    idle_seconds = serializers.IntegerField(help_text="这么久没有使用即失效，单位为秒")
    person = AppPersonSerializer(help_text="登录的人")
