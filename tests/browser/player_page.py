"""The player's page as the tests handle it, and the film that it shows."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.utils import timezone
from playwright.sync_api import Page

from catalog.models import Plan, Video
from portal.lib.media import run_ffmpeg
from portal.lib.sample_clip import Palette, SampleClip, make_sample_clip
from tests.factories.learning import make_study_plan

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


def cut_stream(clip: Path, folder: Path) -> None:
    """Write the film into `folder` as HLS (`master.m3u8`) in 540 and 360 lines."""
    run_ffmpeg(
        [
            *(
                "-i",
                str(clip),
                "-filter_complex",
                "[0:v]split[a][b];[b]scale=640:-2[c]",
            ),
            *("-map", "[a]", "-map", "0:a", "-map", "[c]", "-map", "0:a"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
            *("-g", "24", "-b:v:0", "600k", "-b:v:1", "200k", "-c:a", "aac"),
            *("-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"),
            *("-master_pl_name", "master.m3u8", "-var_stream_map", "v:0,a:0 v:1,a:1"),
            str(folder / "%v/index.m3u8"),
        ]
    )


def make_playable_plan(clip: Path) -> Plan:
    """A plan of today with one course of two chapters, both showing the film."""
    today = timezone.localdate()
    plan = make_study_plan(
        chapters=(SECONDS * 1000, SECONDS * 1000),
        code="plan",
        title="示例培训计划",
        training_start=today - timedelta(days=1),
        training_end=today + timedelta(days=1),
        fastest_speed=Plan.Speed.DOUBLE,
    )
    for video in Video.objects.all():
        with clip.open("rb") as file:
            video.file.save("clip.mp4", File(file))
    return plan


def player_url(plan: Plan, chapter: int = 1) -> str:
    return f"/training/{plan.code}/{plan.courses.get().code}/?chapter={chapter}"


def play(page: Page) -> None:
    page.locator(".vjs-big-play-button").click()


def run(page: Page, script: str) -> Any:
    """Run a script on the page's video element as `video`."""
    return page.evaluate(
        f"() => {{ const video = document.querySelector('video'); {script} }}"
    )
