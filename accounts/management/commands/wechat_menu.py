"""Publishes the menu of the WeChat service account."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from accounts.errors import WeChatError
from accounts.services.wechat import is_wechat_configured, publish_menu


class Command(BaseCommand):
    help = "发布微信服务号菜单：继续教育、我的学习、服务"

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_wechat_configured():
            raise CommandError(
                "未配置微信服务号：请设置 WECHAT_APP_ID、WECHAT_APP_SECRET"
            )
        try:
            menu = publish_menu(
                site_url=settings.SITE_URL, login_path=reverse("accounts:wechat-login")
            )
        except WeChatError as error:
            raise CommandError("微信接口调用失败，详见日志") from error
        for button in menu["button"]:
            names = "、".join(entry["name"] for entry in button["sub_button"])
            self.stdout.write(f"{button['name']}：{names}")
