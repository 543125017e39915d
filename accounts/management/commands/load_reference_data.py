"""Writes regions, calendar and the staff's roles anew, after one of the lists was changed."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.services.reference_data import (
    load_calendar,
    load_regions,
    load_roles,
)


class Command(BaseCommand):
    help = "更新区县列表、节假日和工作人员角色权限（可重复运行）"

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"区县与系统：{load_regions()}")
        self.stdout.write(f"节假日与调休：{load_calendar()}")
        self.stdout.write(f"角色：{load_roles()}")
