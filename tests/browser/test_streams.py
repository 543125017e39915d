"""An upload becomes qualities that a real player changes between, under the strict policy."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files import File
from django.utils import timezone
from playwright.sync_api import Page, Response

from catalog.models import Plan, Video
from catalog.queries import read_served_bytes
from catalog.services import process_video
from tests.browser.player_page import SECONDS, draw_clip, player_url, run
from tests.browser.waiting import wait_until
from tests.factories.learning import enrol, make_study_plan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan of today with one chapter, whose video was uploaded and processed."""
    today = timezone.localdate()
    plan = make_study_plan(
        chapters=(SECONDS * 1000,),
        training_start=today - timedelta(days=1),
        training_end=today + timedelta(days=1),
    )
    draw_clip(tmp_path / "film.mp4")
    video = Video.objects.get()
    with (tmp_path / "film.mp4").open("rb") as file:
        video.source.save("film.mp4", File(file), save=False)
    video.state = Video.State.WAITING
    video.save()
    process_video(video_id=video.pk, clock=timezone.now)
    return plan


def test_each_quality_plays(
    page: Page, plan: Plan, owner: Any, client_of: Any, live_server: Any
) -> None:
    enrol(owner, plan)
    cookie = client_of(owner).cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "url": live_server.url}]
    )
    answers: dict[str, set[int]] = {}

    def note(response: Response) -> None:
        name = response.url.rpartition("/")[2]
        answers.setdefault(name, set()).add(response.status)

    page.on("response", note)
    page.goto(player_url(plan))

    def plays(height: int) -> bool:
        script = f"return video.videoHeight === {height} && video.currentTime > 0.5"
        return bool(run(page, script))

    for quality, height in (("540p", 540), ("360p", 360)):
        # The playlist of one quality, so that no measuring of the line decides for it.
        open_stream(page, f"{quality}.m3u8")
        wait_until(page, lambda height=height: plays(height))
        assert plays(height)
        assert answers[f"{quality}.mp4"] == {206}

    open_stream(page, "stream.m3u8")
    wait_until(page, lambda: count_qualities(page) == 2)
    assert count_qualities(page) == 2
    assert answers["stream.m3u8"] == {200}
    served = read_served_bytes(owner.pk, Video.objects.get().pk)
    assert served is not None
    assert served > 100_000


def open_stream(page: Page, name: str) -> None:
    page.evaluate(
        """name => {
            const config = document.getElementById("player-config").textContent;
            const { stream } = JSON.parse(config);
            const player = videojs("player");
            player.muted(true);
            player.src({
                src: stream.replace("stream.m3u8", name),
                type: "application/x-mpegURL",
            });
            player.play().catch(() => {});
        }""",
        name,
    )


def count_qualities(page: Page) -> int:
    """Of the list that the player has read."""
    return int(
        page.evaluate(
            "() => videojs('player').tech(true).vhs?.playlists?.main?.playlists?.length || 0"
        )
    )
