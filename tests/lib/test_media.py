"""ffmpeg at work on small files: what is found, what is made, what is refused."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from portal.demo.clips import BOLD_FONT, REGULAR_FONT
from portal.lib import media
from portal.lib.media import MediaError, MissingFfmpegError, Probe
from portal.lib.sample_clip import Palette, SampleClip, make_sample_clip, split_title

CLIP = SampleClip(
    course="课程：测试",
    chapter=1,
    chapter_count=2,
    title="标题'里有: 特殊%{字符}\\，也要照样画出来",
    points=("一、100% 的要点", "二、[方括号];分号"),
    speaker="主讲：某人",
    source="示例",
    palette=Palette("1c3049", "41658c"),
    seconds=3,
    tone_hz=196,
)


def make(arguments: list[str], target: Path) -> Path:
    media.run_ffmpeg(["-y", *arguments, str(target)])
    return target


@pytest.fixture(scope="module")
def old_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an old camera wrote: MPEG-4 part 2 with MP3 in an AVI, odd in size."""
    return make(
        [
            *("-f", "lavfi", "-i", "testsrc=s=321x241:r=10:d=2"),
            *("-f", "lavfi", "-i", "sine=d=2", "-c:v", "mpeg4", "-c:a", "mp3"),
        ],
        tmp_path_factory.mktemp("film") / "film.avi",
    )


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("clip") / "clip.mp4"
    make_sample_clip(
        CLIP,
        target,
        regular_font=settings.NODE_MODULES / REGULAR_FONT,
        bold_font=settings.NODE_MODULES / BOLD_FONT,
    )
    return target


def has_index_in_front(path: Path) -> bool:
    content = path.read_bytes()
    return 0 < content.find(b"moov") < content.find(b"mdat")


def test_sample_clip_is_a_video_for_the_web(clip: Path) -> None:
    found = media.probe(clip)

    assert found == Probe(
        duration_ms=3000,
        width=960,
        height=540,
        video_codec="h264",
        pixel_format="yuv420p",
        audio_codec="aac",
        container="mov,mp4,m4a,3gp,3g2,mj2",
    )
    assert found.is_web_ready
    assert has_index_in_front(clip)


def test_key_of_a_clip_changes_with_what_it_shows() -> None:
    assert CLIP.key == replace(CLIP).key
    assert CLIP.key != replace(CLIP, title="另一个标题").key
    assert CLIP.key != replace(CLIP, points=()).key


def test_missing_font_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"缺少字体文件 none\.ttf：请先运行"):
        make_sample_clip(
            CLIP,
            tmp_path / "clip.mp4",
            regular_font=tmp_path / "none.ttf",
            bold_font=tmp_path / "none.ttf",
        )


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("短标题", ["短标题"]),
        ("双城经济圈的战略定位与总体目标", ["双城经济圈的", "战略定位与总体目标"]),
        ("共抓大保护：不搞大开发的长江上游", ["共抓大保护", "不搞大开发的长江上游"]),
        ("一" * 20, ["一" * 10, "一" * 10]),
    ],
)
def test_titles_break_at_natural_places(title: str, lines: list[str]) -> None:
    assert split_title(title) == lines


def test_old_film_is_encoded_anew(old_film: Path, tmp_path: Path) -> None:
    target = tmp_path / "new.mp4"
    percentages: list[int] = []
    found = media.probe(old_film)
    assert not found.is_web_ready

    media.normalise(old_film, target, found=found, on_progress=percentages.append)

    made = media.probe(target)
    assert made.is_web_ready
    assert (made.width, made.height) == (320, 240)
    assert abs(made.duration_ms - 2000) <= 150
    assert has_index_in_front(target)
    assert percentages
    assert all(0 <= percent <= 99 for percent in percentages)


def test_video_for_the_web_is_copied(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.mp4"

    media.normalise(clip, target, found=media.probe(clip))

    assert media.probe(target) == media.probe(clip)
    assert has_index_in_front(target)


def test_silent_video(tmp_path: Path) -> None:
    silent = make(
        ["-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=1", "-pix_fmt", "yuv420p"],
        tmp_path / "silent.mp4",
    )

    found = media.probe(silent)
    media.normalise(silent, tmp_path / "out.mp4", found=found)

    assert found.audio_codec == ""
    assert media.probe(tmp_path / "out.mp4").audio_codec == ""


# What makes a film of 160 × 120, by what is wrong with it, and the picture that is seen.
WITHOUT_CHANGE = ["-c", "copy"]
PICTURES = {
    "turned by a phone": (["-display_rotation", "90"], WITHOUT_CHANGE, (120, 160)),
    "upside down": (["-display_rotation", "180"], WITHOUT_CHANGE, (160, 120)),
    "wide pixels of a tape": ([], ["-vf", "setsar=3/2"], (240, 120)),
}


@pytest.fixture(scope="module")
def small_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every browser plays it as it is."""
    picture = ["-f", "lavfi", "-i", "testsrc=s=160x120:r=5:d=1"]
    target = tmp_path_factory.mktemp("small") / "film.mp4"
    return make([*picture, "-pix_fmt", "yuv420p"], target)


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_made_as_it_is_shown(
    name: str, small_film: Path, tmp_path: Path
) -> None:
    before, after, size = PICTURES[name]
    film = make([*before, "-i", str(small_film), *after], tmp_path / "film.mp4")
    found = media.probe(film)
    assert (found.width, found.height, found.is_web_ready) == (*size, False)

    media.normalise(film, tmp_path / "out.mp4", found=found)

    made = media.probe(tmp_path / "out.mp4")
    assert (made.width, made.height, made.is_web_ready) == (*size, True)


def test_stretch_that_nobody_sees_is_no_reason_to_encode(
    small_film: Path, tmp_path: Path
) -> None:
    film = make(
        ["-i", str(small_film), "-vf", "setsar=1280/1281"], tmp_path / "film.mp4"
    )

    found = media.probe(film)

    assert (found.width, found.height, found.is_web_ready) == (160, 120, True)


def test_words_of_a_file_are_not_taken_for_what_it_holds(
    small_film: Path, tmp_path: Path
) -> None:
    title = (
        "title=Stream #0:0: Video: vp9, yuv444p, 10x10\n  Duration: 99:00:00.00, start"
    )
    told = make(
        ["-i", str(small_film), "-c", "copy", "-metadata", title], tmp_path / "told.mp4"
    )

    assert media.probe(told) == media.probe(small_film)


def test_recording_that_does_not_say_how_long_it_is(
    small_film: Path, tmp_path: Path
) -> None:
    """What the recorders of browsers write."""
    film = make(
        ["-i", str(small_film), "-c:v", "libvpx", "-live", "1"], tmp_path / "film.webm"
    )
    found = media.probe(film)
    percentages: list[int] = []

    media.normalise(
        film, tmp_path / "out.mp4", found=found, on_progress=percentages.append
    )

    assert found.duration_ms == 0
    assert set(percentages) == {0}
    assert media.probe(tmp_path / "out.mp4").duration_ms == 1000


def test_head_that_tells_of_days_is_refused(
    small_film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LONGEST_MS", 999)

    with pytest.raises(MediaError, match="时长超过 24 小时"):
        media.probe(small_film)


def test_sound_with_a_cover_is_no_video(tmp_path: Path) -> None:
    song = make(
        [
            *("-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "color=d=1"),
            *("-map", "0", "-map", "1", "-frames:v", "1", "-c:v", "mjpeg"),
            *("-disposition:v", "attached_pic"),
        ],
        tmp_path / "song.m4a",
    )

    with pytest.raises(MediaError, match="没有可播放的画面"):
        media.probe(song)


def test_last_words_may_be_in_any_code(tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.mp4")

    with pytest.raises(MediaError, match=r"^ffmpeg：Error opening input files"):
        media.run_with_progress(["-i", name, str(tmp_path / "out.mp4")], 0, print)


def test_work_stops_when_the_listener_objects(old_film: Path, tmp_path: Path) -> None:
    def object_to(_percent: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        media.normalise(
            old_film,
            tmp_path / "new.mp4",
            found=media.probe(old_film),
            on_progress=object_to,
        )


def test_poster_is_a_picture(clip: Path, tmp_path: Path) -> None:
    poster = tmp_path / "poster.jpg"

    media.make_poster(clip, poster, at_ms=1000)

    assert poster.read_bytes()[:3] == b"\xff\xd8\xff"


def test_poster_behind_the_end_is_refused(clip: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"^ffmpeg：Nothing was written"):
        media.make_poster(clip, tmp_path / "poster.jpg", at_ms=60_000)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a video",
        b"\x00\x00\x00\x18ftypmp42" + b"\x00" * 100,
        # A playlist could make ffmpeg read other files or hosts.
        b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
)
def test_what_is_no_video_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "upload.mp4"
    path.write_bytes(content)

    with pytest.raises(MediaError, match="无法识别视频"):
        media.probe(path)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    sound = make(["-f", "lavfi", "-i", "sine=d=1"], tmp_path / "sound.m4a")

    with pytest.raises(MediaError, match="没有可播放的画面"):
        media.probe(sound)


def test_failure_of_ffmpeg_carries_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(
        MediaError,
        match=r"^ffmpeg：Error opening input files: No such file or directory$",
    ):
        media.run_ffmpeg(["-i", str(tmp_path / "none.mp4"), str(tmp_path / "out.mp4")])


def test_slow_work_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="处理超时"):
        media.run_ffmpeg(
            ["-re", "-f", "lavfi", "-i", "testsrc=d=60", str(tmp_path / "out.mp4")],
            timeout=0.5,
        )


@pytest.fixture
def without_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def refuse() -> str:
        raise RuntimeError("No ffmpeg exe could be found.")

    monkeypatch.setattr(media.imageio_ffmpeg, "get_ffmpeg_exe", refuse)
    media.find_ffmpeg.cache_clear()
    yield
    media.find_ffmpeg.cache_clear()


@pytest.mark.usefixtures("without_ffmpeg")
def test_missing_ffmpeg_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFfmpegError, match="没有可用的 ffmpeg"):
        media.probe(tmp_path / "any.mp4")
