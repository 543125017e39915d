"""The sample videos: one short clip for every chapter, made once and found again by content."""

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from catalog.models import FieldOfStudy, Video, VideoQuality
from portal.lib.captions import write_captions
from portal.lib.media import make_poster
from portal.lib.sample_clip import (
    HEIGHT,
    WIDTH,
    Palette,
    SampleClip,
    list_cues,
    make_sample_clip,
)
from portal.lib.streams import Quality, make_qualities

SECONDS = 14
# When the last line of words has appeared.
POSTER_AT_MS = 9_000
FONTS = Path("@expo-google-fonts/noto-serif-sc")
REGULAR_FONT = FONTS / "400Regular/NotoSerifSC_400Regular.ttf"
BOLD_FONT = FONTS / "700Bold/NotoSerifSC_700Bold.ttf"

# The colours of the fields' covers, light ends dark enough for white words.
PALETTES = {
    FieldOfStudy.ENGINEERING: Palette("1c3049", "35567c"),
    FieldOfStudy.EDUCATION: Palette("4f1c18", "8a3d30"),
    FieldOfStudy.AGRICULTURE: Palette("2f4214", "55702a"),
    FieldOfStudy.ECONOMY: Palette("5a3608", "8a5d17"),
    FieldOfStudy.ECOLOGY: Palette("0e423a", "1f6f5d"),
    FieldOfStudy.MANAGEMENT: Palette("2d2350", "584787"),
}
TONES_HZ = dict(zip(PALETTES, (196, 220, 174, 208, 184, 232), strict=True))


@dataclass(frozen=True)
class ChapterClip:
    """The clip of one chapter; its file's name is made of everything it shows."""

    course: str
    position: int
    clip: SampleClip

    @property
    def file_name(self) -> str:
        return self._name(".mp4")

    @property
    def poster_name(self) -> str:
        return self._name(".jpg")

    @property
    def captions_name(self) -> str:
        return self._name(".vtt")

    @property
    def qualities_name(self) -> str:
        """A list of the columns of the stream's qualities, which hold its playlists."""
        return self._name(".json")

    def name_quality(self, quality: str) -> str:
        return self._name(f"-{quality}.mp4")

    def _name(self, suffix: str) -> str:
        return f"videos/sample-{self.clip.key}{suffix}"

    @property
    def stored_size(self) -> int:
        """Bytes of the file, 0 where it was not made."""
        if not default_storage.exists(self.file_name):
            return 0
        return default_storage.size(self.file_name)

    def build_video(self, now: datetime) -> Video:
        """An unsaved row for the file, whether it is there yet or not."""
        return Video(
            file=self.file_name,
            poster=self.poster_name,
            state=Video.State.READY,
            duration_ms=self.clip.seconds * 1000,
            width=WIDTH,
            height=HEIGHT,
            percent=100,
            created_at=now,
        )

    def build_qualities(self, video: Video) -> list[VideoQuality]:
        """Unsaved rows of the stored stream. Raises FileNotFoundError where there is none."""
        with default_storage.open(self.qualities_name) as file:
            return [VideoQuality(video=video, **columns) for columns in json.load(file)]

    def is_stored(self) -> bool:
        # The poster is written last: where it lies, the others were written to their end.
        return all(
            default_storage.exists(name)
            for name in (self.poster_name, self.qualities_name, self.file_name)
        )


def build_clips(
    courses: Iterable[dict[str, Any]], lecturers: dict[str, dict[str, Any]]
) -> list[ChapterClip]:
    """One clip for every chapter of the sample courses."""
    return [
        ChapterClip(
            course["code"],
            position,
            _describe(course, position, lecturers[course["lecturer"]]),
        )
        for course in courses
        for position in range(1, len(course["chapter"]) + 1)
    ]


def _describe(
    course: dict[str, Any], position: int, lecturer: dict[str, Any]
) -> SampleClip:
    chapter = course["chapter"][position - 1]
    field = FieldOfStudy(course["field"])
    return SampleClip(
        course=course["title"],
        chapter=position,
        chapter_count=len(course["chapter"]),
        title=chapter["title"],
        points=chapter["points"],
        speaker=f"主讲：{lecturer['name']} {lecturer['title']}",
        source=f"{settings.PORTAL_NAME} · 示例课件",
        palette=PALETTES[field],
        seconds=SECONDS,
        tone_hz=TONES_HZ[field],
    )


def make_clips(clips: list[ChapterClip], say: Callable[[str], None]) -> None:
    """Make the clips that are not stored yet, one on each processor. Raises MediaError."""
    missing = [clip for clip in clips if not clip.is_stored()]
    if not missing:
        return
    say(f"制作示例视频：{len(missing)} 个")
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for number, _done in enumerate(pool.map(_make_clip, missing), start=1):
            if number % 10 == 0 or number == len(missing):
                say(f"示例视频 {number}/{len(missing)}")


def _make_clip(chapter: ChapterClip) -> None:
    with tempfile.TemporaryDirectory(prefix="sample-") as name:
        folder = Path(name)
        video, poster = folder / "video.mp4", folder / "poster.jpg"
        make_sample_clip(
            chapter.clip,
            video,
            regular_font=settings.NODE_MODULES / REGULAR_FONT,
            bold_font=settings.NODE_MODULES / BOLD_FONT,
        )
        make_poster(video, poster, at_ms=POSTER_AT_MS)
        qualities = make_qualities(video, folder, on_progress=lambda _percent: None)
        _store(video, chapter.file_name)
        for quality in qualities:
            _store(quality.file, chapter.name_quality(quality.name))
        captions = write_captions(list_cues(chapter.clip))
        _store_text(captions, chapter.captions_name)
        columns = [_describe_quality(chapter, quality) for quality in qualities]
        _store_text(json.dumps(columns), chapter.qualities_name)
        _store(poster, chapter.poster_name)


def _describe_quality(chapter: ChapterClip, quality: Quality) -> dict[str, Any]:
    return {
        "name": quality.name,
        "width": quality.width,
        "height": quality.height,
        "bandwidth": quality.bandwidth,
        "codecs": quality.codecs,
        "file": chapter.name_quality(quality.name),
        "size": quality.file.stat().st_size,
        "playlist": quality.playlist,
    }


def _store(path: Path, name: str) -> None:
    # What a killed run left behind.
    default_storage.delete(name)
    with path.open("rb") as file:
        default_storage.save(name, File(file))


def _store_text(text: str, name: str) -> None:
    default_storage.delete(name)
    default_storage.save(name, ContentFile(text.encode()))
