"""Walks the audit chain and says whether an entry is missing or was changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import AuditEntry
from accounts.services.audit import find_chain_fault

WORDS = {"missing": "记录缺失", "changed": "内容被改动", "cut off": "末端被截断"}


class Command(BaseCommand):
    help = "检查审计记录是否完整（缺失、改动或截断）"

    def handle(self, *args: Any, **options: Any) -> None:
        fault = find_chain_fault()
        if fault is not None:
            raise CommandError(
                f"审计链在第 {fault.position} 条断开：{WORDS[fault.reason]}"
            )
        self.stdout.write(f"审计链完整，共 {AuditEntry.objects.count()} 条")
