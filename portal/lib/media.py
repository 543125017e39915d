"""Videos through the ffmpeg that imageio-ffmpeg brings: probe, poster, normal form.

The wheel has no ffprobe, so what a file holds is read from what `ffmpeg -i` says about it.
Uploads are hostile input: the formats are a closed list without playlists (which could name
other files or hosts) and nothing but local files is read.
"""

import re
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

# The containers that cameras, phones and editors write. No hls, dash or concat.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,asf"
SHORT_RUN_SECONDS = 60
MAX_WIDTH = 1280
POSTER_WIDTH = 960
# Where a player can begin, and change quality: a divisor of what a segment lasts.
KEY_FRAME_SECONDS = 2
# A head that tells of more is broken; nobody lectures for so long.
LONGEST_MS = 24 * 3600 * 1000
# 854 pixels for 853⅓ are common and no reason to encode a lecture anew.
UNSEEN_STRETCH = 0.01
WORDS_KEPT = 20

# ffmpeg's own lines begin so; titles and the like, which the file brings, stand further right.
_DURATION = re.compile(r"^  Duration: (\d+):(\d\d):(\d\d)\.(\d\d)", re.MULTILINE)
_STREAMS = re.compile(r"^  (?=Stream #)", re.MULTILINE)
_VIDEO = re.compile(r"Stream #\S+ Video: (\w+)[^\n]*?, (\w+)[^\n]*?, (\d+)x(\d+)")
_AUDIO = re.compile(r"Stream #\S+ Audio: (\w+)")
_COVER = re.compile(r"[^\n]*\(attached pic\)")
_PIXEL_SHAPE = re.compile(r"[^\n]*\bSAR ([1-9]\d*):([1-9]\d*)")
_ROTATION = re.compile(r"^ +Display Matrix: rotation of (-?\d+)", re.MULTILINE)
_CONTAINER = re.compile(r"^Input #0, (\S+), from", re.MULTILINE)
# The part of ffmpeg that speaks, and its address in memory.
_SPEAKER = re.compile(r"^(\[[^\]]*\] )+")
_PROGRESS = re.compile(r"out_time_us=(\d+)")


class MediaError(Exception):
    """A file could not be read or made; the message is fit for staff."""


class MissingFfmpegError(MediaError):
    """There is no ffmpeg that runs on this machine."""


@dataclass(frozen=True)
class Probe:
    """What a file holds. Empty codec names stand for a missing track.

    `duration_ms` is 0 where the file does not say, as recorders in browsers leave it. Width and
    height are those of the picture as it is shown; `is_as_shown` tells whether it is stored so,
    or turned (phones) or of pixels that are not square (tapes).
    """

    duration_ms: int
    width: int
    height: int
    video_codec: str
    pixel_format: str
    audio_codec: str
    container: str
    is_as_shown: bool = True

    @property
    def is_web_ready(self) -> bool:
        """Whether every browser plays the tracks as they are (H.264 4:2:0, AAC or silent)."""
        return (
            self.is_as_shown
            and self.video_codec == "h264"
            and self.pixel_format in ("yuv420p", "yuvj420p")
            and self.audio_codec in ("aac", "")
            and self.width <= MAX_WIDTH
        )


@cache
def find_ffmpeg() -> str:
    """Path of the ffmpeg program. Raises MissingFfmpegError."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MissingFfmpegError(
            "没有可用的 ffmpeg：请重新安装依赖 imageio-ffmpeg"
        ) from error


def run_ffmpeg(
    arguments: Sequence[str],
    *,
    folder: Path | None = None,
    timeout: float | None = SHORT_RUN_SECONDS,
) -> None:
    """Run ffmpeg in `folder`. Raises MediaError with its last words when it fails."""
    command = [find_ffmpeg(), "-hide_banner", "-nostdin", "-v", "error", *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError("处理超时") from error
    except OSError as error:
        raise MissingFfmpegError(f"ffmpeg 无法运行：{error.strerror}") from error
    if done.returncode != 0:
        raise MediaError(_last_words(done.stderr.decode(errors="replace")))


def _last_words(stderr: str) -> str:
    lines = [_SPEAKER.sub("", line).strip() for line in stderr.splitlines()]
    spoken = [line for line in lines if line]
    return f"ffmpeg：{spoken[-1][:180]}" if spoken else "ffmpeg 没有说明原因"


def input_arguments(path: Path) -> list[str]:
    """How ffmpeg is told to read an upload: a local file of a known container, no more."""
    return [
        *("-protocol_whitelist", "file", "-format_whitelist", FORMATS),
        *("-i", f"file:{path}"),
    ]


def probe(path: Path) -> Probe:
    """Say what a video file holds. Raises MediaError when it is none."""
    command = [find_ffmpeg(), "-hide_banner", "-nostdin", *input_arguments(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=SHORT_RUN_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MediaError("无法识别视频：读取超时") from error
    text = done.stderr.decode(errors="replace")
    streams = _STREAMS.split(text)[1:]
    pictures = (each for each in streams if not _COVER.match(each))
    video = next(filter(None, map(_VIDEO.match, pictures)), None)
    if video is None:
        raise MediaError("无法识别视频：文件中没有可播放的画面")
    duration_ms = _read_duration(text)
    if duration_ms > LONGEST_MS:
        raise MediaError("无法识别视频：时长超过 24 小时")
    width, height, is_as_shown = _read_shape(video)
    audio = next(filter(None, map(_AUDIO.match, streams)), None)
    container = _CONTAINER.search(text)
    return Probe(
        duration_ms=duration_ms,
        width=width,
        height=height,
        video_codec=video[1],
        pixel_format=video[2],
        audio_codec=audio[1] if audio else "",
        container=container[1] if container else "",
        is_as_shown=is_as_shown,
    )


def _read_duration(text: str) -> int:
    """Milliseconds, 0 where the file does not say."""
    found = _DURATION.search(text)
    if found is None:
        return 0
    hours, minutes, seconds, hundredths = map(int, found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + hundredths * 10


def _read_shape(video: re.Match[str]) -> tuple[int, int, bool]:
    """Width and height of the picture as it is shown, and whether it is stored so."""
    width, height = int(video[3]), int(video[4])
    shape, rotation = _PIXEL_SHAPE.match(video.string), _ROTATION.search(video.string)
    across, down = (int(shape[1]), int(shape[2])) if shape else (1, 1)
    degrees = int(rotation[1]) % 360 if rotation else 0
    shown = max(1, round(width * across / down))
    is_square = abs(shown - width) <= width * UNSEEN_STRETCH
    width = width if is_square else shown
    is_as_shown = is_square and degrees == 0
    return (
        (width, height, is_as_shown) if degrees % 180 == 0 else (height, width, False)
    )


def make_poster(source: Path, target: Path, *, at_ms: int) -> None:
    """Write the picture at `at_ms` of a video as a JPEG."""
    run_ffmpeg(
        [
            *("-y", "-ss", f"{at_ms / 1000:.3f}"),
            *input_arguments(source),
            *("-frames:v", "1", "-vf", f"scale='min({POSTER_WIDTH},iw)':-2"),
            *("-q:v", "3", f"file:{target}"),
        ]
    )


def normalise(
    source: Path,
    target: Path,
    *,
    found: Probe,
    on_progress: Callable[[int], None] = lambda _percent: None,
) -> None:
    """Write `source` as an MP4 that browsers play and seek: H.264, AAC, index in front.

    Tracks that are right already are copied, which takes seconds; others are encoded.
    `on_progress` gets whole percentages and may raise to stop the work.
    """
    codecs = ["-c", "copy"] if found.is_web_ready else encoder_arguments(found)
    arguments = [
        *(
            "-y",
            *input_arguments(source),
            # V: no picture of a cover.
            "-map",
            "0:V:0",
            "-map",
            "0:a:0?",
            "-dn",
            "-sn",
        ),
        *("-map_metadata", "-1", "-map_chapters", "-1", *codecs),
        *("-movflags", "+faststart", "-f", "mp4", f"file:{target}"),
    ]
    run_with_progress(arguments, found.duration_ms, on_progress)


def encoder_arguments(found: Probe) -> list[str]:
    """How ffmpeg is told to make what every browser plays; a key frame every two seconds."""
    width = max(2, min(found.width, MAX_WIDTH) // 2 * 2)
    height = max(2, round(width * found.height / found.width / 2) * 2)
    return [
        *("-vf", f"scale={width}:{height},setsar=1,format=yuv420p"),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-profile:v", "main"),
        *("-force_key_frames", f"expr:gte(t,n_forced*{KEY_FRAME_SECONDS})"),
        *("-c:a", "aac", "-b:a", "96k", "-ac", "2"),
    ]


def run_with_progress(
    arguments: Sequence[str], duration_ms: int, on_progress: Callable[[int], None]
) -> None:
    """Run ffmpeg without a limit of time over `duration_ms` of video.

    `on_progress` gets whole percentages up to 99, 0 throughout where `duration_ms` is 0, and
    may raise, which ends ffmpeg. Raises MediaError with ffmpeg's last words when it fails.
    """
    command = [find_ffmpeg(), "-hide_banner", "-nostdin", "-v", "error"]
    command += ["-progress", "pipe:1", "-nostats", *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    ) as process:
        # A damaged film of hours has something to say about each of its pictures.
        words: deque[str] = deque(maxlen=WORDS_KEPT)
        # A full error pipe would stop ffmpeg while this side waits for progress.
        listener = threading.Thread(target=_drain, args=(process.stderr, words))
        listener.start()
        try:
            for done_ms in _read_progress(process.stdout or ()):
                on_progress(min(99, done_ms * 100 // duration_ms) if duration_ms else 0)
        except BaseException:
            process.kill()
            raise
        finally:
            listener.join()
    if process.returncode != 0:
        raise MediaError(_last_words("".join(words)))


def _drain(pipe: IO[str] | None, words: deque[str]) -> None:
    if pipe is not None:
        words.extend(pipe)


def _read_progress(lines: Iterable[str]) -> Iterable[int]:
    for line in lines:
        match = _PROGRESS.match(line)
        if match:
            yield int(match[1]) // 1000


def copy_font(source: Path, folder: Path, name: str) -> None:
    """Put a font beside the texts of a drawing. Raises MediaError when it is missing."""
    try:
        shutil.copyfile(source, folder / name)
    except OSError as error:
        raise MediaError(
            f"缺少字体文件 {source.name}：请先运行 script/bootstrap"
        ) from error
