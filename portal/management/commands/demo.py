from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.demo.loading import load
from portal.lib.media import MediaError
from portal.lib.pdf import PaperError


class Command(BaseCommand):
    help = "载入示例数据（可以重复执行）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-videos", action="store_true", help="不制作示例视频（用于测试）"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("示例数据不能载入正式环境。")
        try:
            load(
                timezone.now(),
                with_videos=not options["no_videos"],
                say=self.stdout.write,
            )
        except (MediaError, PaperError) as error:
            raise CommandError(f"示例数据未能载入：{error}") from error
