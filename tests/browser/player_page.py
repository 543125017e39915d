"""The player's page as the tests handle it, and the film that it shows."""

from pathlib import Path
from typing import Any

from django.conf import settings
from playwright.sync_api import Page

from catalog.models import Plan
from portal.lib.sample_clip import Palette, SampleClip, make_sample_clip

SECONDS = 6
FONTS = settings.NODE_MODULES / "@expo-google-fonts/noto-serif-sc"


def draw_clip(path: Path) -> None:
    """Write a film of six seconds."""
    make_sample_clip(
        SampleClip(
            course="示例课程",
            chapter=1,
            chapter_count=2,
            title="示例章节",
            points=["第一点"],
            speaker="主讲：示例",
            source="示例课件",
            palette=Palette("1c3049", "35567c"),
            seconds=SECONDS,
            tone_hz=220,
        ),
        path,
        regular_font=FONTS / "400Regular/NotoSerifSC_400Regular.ttf",
        bold_font=FONTS / "700Bold/NotoSerifSC_700Bold.ttf",
    )


def player_url(plan: Plan, chapter: int = 1) -> str:
    return f"/training/{plan.code}/{plan.courses.get().code}/?chapter={chapter}"


def play(page: Page) -> None:
    page.locator(".vjs-big-play-button").click()


def run(page: Page, script: str) -> Any:
    """Run a script on the page's video element as `video`."""
    return page.evaluate(
        f"() => {{ const video = document.querySelector('video'); {script} }}"
    )
