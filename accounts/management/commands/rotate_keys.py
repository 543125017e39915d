"""Encrypts personal data anew with the first of FIELD_KEYS; may be killed and run again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.personal_data import cipher
from accounts.services.key_rotation import (
    Place,
    count_old,
    list_places,
    record_rotation,
    rotate_place,
)


class Command(BaseCommand):
    help = "用 FIELD_KEYS 中的第一把密钥重新加密个人信息（可随时中断后重新运行）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="只检查是否仍有数据使用旧密钥"
        )

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        self.stdout.write(f"当前密钥：{cipher().key_id}")
        places = list_places()
        remaining = self.count(places) if check else self.rotate(places)
        if remaining:
            raise CommandError(f"仍有 {remaining} 项使用旧密钥，请勿删除旧密钥")
        self.stdout.write("全部数据均使用当前密钥，旧密钥可以删除")

    def count(self, places: list[Place]) -> int:
        counts = {place.label: count_old(place) for place in places}
        for label, count in counts.items():
            self.stdout.write(f"{label}：旧密钥 {count} 项")
        return sum(counts.values())

    def rotate(self, places: list[Place]) -> int:
        resealed = remaining = 0
        for place in places:
            outcome = rotate_place(place, report=lambda n: self.stdout.write(f"… {n}"))
            resealed += outcome.resealed
            remaining += outcome.remaining
            self.stdout.write(
                f"{place.label}：已更新 {outcome.resealed} 项，"
                f"无法读取 {outcome.unreadable} 项，剩余 {outcome.remaining} 项"
            )
        # Also of a run that found nothing left: the one before may have been killed at the end.
        record_rotation(resealed=resealed, remaining=remaining, now=timezone.now())
        return remaining
