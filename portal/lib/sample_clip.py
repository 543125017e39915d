"""Sample videos: a slide with the chapter's words, a running clock and a quiet tone.

Real H.264 and AAC with the index in front, so players treat them as any lecture.
"""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from portal.lib.media import copy_font, run_ffmpeg

WIDTH, HEIGHT, FRAME_RATE = 960, 540, 12
LEFT = 72
# The widest line of a title, in full-width characters at TITLE_SIZE.
TITLE_CHARACTERS, TITLE_SIZE, TITLE_LEADING = 14, 52, 72
TITLE_TOP = 150
POINT_SIZE, POINT_LEADING = 28, 48
FIRST_POINT_SECONDS, POINT_STEP_SECONDS = 1.5, 2.5
# Part of every clip's key: a new number makes all samples anew.
DESIGN = 2


@dataclass(frozen=True)
class Palette:
    """Two ends of a slowly moving background, `rrggbb`."""

    dark: str
    light: str


@dataclass(frozen=True)
class SampleClip:
    """What one sample video says. `tone_hz` is the pitch of its quiet sound."""

    course: str
    chapter: int
    chapter_count: int
    title: str
    points: Sequence[str]
    speaker: str
    source: str
    palette: Palette
    seconds: int
    tone_hz: int

    @property
    def key(self) -> str:
        """A name that changes with everything that can be seen or heard."""
        said = json.dumps([DESIGN, asdict(self)], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def make_sample_clip(
    clip: SampleClip, target: Path, *, regular_font: Path, bold_font: Path
) -> None:
    """Write the clip as MP4. Raises MediaError when a font or ffmpeg is missing."""
    with tempfile.TemporaryDirectory(prefix="clip-") as name:
        folder = Path(name)
        # Texts and fonts lie in ffmpeg's own folder: no path or word needs escaping.
        copy_font(regular_font, folder, "regular.ttf")
        copy_font(bold_font, folder, "bold.ttf")
        graph = _compose(clip, folder)
        (folder / "graph.txt").write_text(graph, encoding="utf-8")
        run_ffmpeg(
            [
                *("-y", "-threads", "1", "-filter_complex_threads", "1"),
                *("-/filter_complex", "graph.txt", "-map", "[picture]"),
                *("-map", "[sound]", "-t", str(clip.seconds), "-threads", "1"),
                *("-c:v", "libx264", "-preset", "superfast", "-crf", "25"),
                *("-profile:v", "main", "-g", str(FRAME_RATE * 2)),
                *("-c:a", "aac", "-b:a", "64k", "-movflags", "+faststart"),
                *("-f", "mp4", f"file:{target}"),
            ],
            folder=folder,
        )


def _compose(clip: SampleClip, folder: Path) -> str:
    picture = ",".join([_background(clip), *_words(clip, folder)])
    bar = f"color=c=0xd8b25c:s={WIDTH}x5:r={FRAME_RATE}:d={clip.seconds}[bar]"
    # The line at the foot fills from the left as the clip runs.
    joined = (
        f"[slide][bar]overlay=x='-{WIDTH}+{WIDTH}*t/{clip.seconds}':y={HEIGHT - 5}"
        ":eval=frame,format=yuv420p[picture]"
    )
    return ";\n".join([f"{picture}[slide]", bar, joined, _sound(clip)])


def list_cues(clip: SampleClip) -> list[tuple[int, int, str]]:
    """Captions of a clip: title and points while they appear, start and end in milliseconds."""
    starts = [0.0]
    starts += [
        FIRST_POINT_SECONDS + n * POINT_STEP_SECONDS for n in range(len(clip.points))
    ]
    bounds = [int(start * 1000) for start in starts if start < clip.seconds]
    texts = [clip.title, *clip.points]
    return list(zip(bounds, [*bounds[1:], clip.seconds * 1000], texts, strict=False))


def _background(clip: SampleClip) -> str:
    dark, light = clip.palette.dark, clip.palette.light
    # Drawn small and enlarged: as smooth to the eye at a twentieth of the work.
    return (
        f"gradients=s=192x108:n=3:c0=0x{dark}:c1=0x{light}:c2=0x{dark}:speed=0.015"
        f":seed={2 - clip.chapter % 2}:r={FRAME_RATE}:d={clip.seconds},"
        f"scale={WIDTH}:{HEIGHT}:flags=bicubic,setsar=1,"
        f"drawbox=x={LEFT}:y=126:w=56:h=4:color=0xd8b25c:t=fill"
    )


def _words(clip: SampleClip, folder: Path) -> list[str]:
    def put(name: str, text: str, **options: object) -> str:
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        font = "bold.ttf" if name in ("title0", "title1", "number") else "regular.ttf"
        settings = {"fontfile": font, "textfile": f"{name}.txt", "expansion": "none"}
        return _draw_text(settings | options)

    titles = split_title(clip.title)
    below = TITLE_TOP + TITLE_LEADING * len(titles) + 20
    number = f"第 {clip.chapter} 章 / 共 {clip.chapter_count} 章"
    return [
        put("course", clip.course, x=LEFT, y=36, fontsize=24, alpha=0.88),
        put("number", number, x=LEFT, y=84, fontsize=24, fontcolor="0xf2d48f"),
        *(
            put(f"title{n}", line, x=LEFT, y=TITLE_TOP + n * TITLE_LEADING, fontsize=52)
            for n, line in enumerate(titles)
        ),
        *(
            put(
                f"point{n}",
                f"·  {point}",
                x=LEFT,
                y=below + n * POINT_LEADING,
                fontsize=POINT_SIZE,
                alpha=_appear(FIRST_POINT_SECONDS + n * POINT_STEP_SECONDS),
            )
            for n, point in enumerate(clip.points)
        ),
        put("speaker", clip.speaker, x=LEFT, y=490, fontsize=22, alpha=0.8),
        put("source", clip.source, x=f"w-tw-{LEFT}", y=490, fontsize=22, alpha=0.8),
        _clock(clip.seconds),
    ]


def _clock(seconds: int) -> str:
    whole = f"{seconds // 60:02d}\\:{seconds % 60:02d}"
    return _draw_text(
        {
            "fontfile": "bold.ttf",
            "text": f"'%{{pts\\:gmtime\\:0\\:%M\\\\\\:%S}} / {whole}'",
            "x": f"w-{LEFT}-172",
            "y": 32,
            "fontsize": 29,
        }
    )


def _draw_text(options: dict[str, object]) -> str:
    settings = {"fontcolor": "white", **options}
    return "drawtext=" + ":".join(f"{name}={value}" for name, value in settings.items())


def _appear(start: float) -> str:
    """An expression that is 0 before `start` seconds and reaches 0.94 within 0.6 s."""
    return f"'0.94*clip((t-{start})/0.6,0,1)'"


def _sound(clip: SampleClip) -> str:
    tone = clip.tone_hz
    fade = clip.seconds - 2
    # A soft fifth that swells slowly; far below speech in loudness.
    return (
        f"aevalsrc='0.035*sin({tone}*2*PI*t)*(0.7+0.3*sin(0.8*t))"
        f"+0.02*sin({tone * 3 // 2}*2*PI*t)*(0.7+0.3*cos(0.6*t))'"
        f":s=44100:d={clip.seconds},afade=t=in:d=1,afade=t=out:st={fade}:d=2[sound]"
    )


def split_title(title: str) -> list[str]:
    """Break a title into at most two lines of about equal length."""
    if len(title) <= TITLE_CHARACTERS:
        return [title]
    # At a natural break near the middle, else in the middle.
    middle = -(-len(title) // 2)
    marks = [n + 1 for n, character in enumerate(title) if character in "：、，的"]
    marks += [n for n, character in enumerate(title) if character in "与和"]
    near = [n for n in marks if max(n, len(title) - n) <= TITLE_CHARACTERS]
    cut = min(near, key=lambda n: abs(n - middle), default=middle)
    return [title[:cut].rstrip("："), title[cut:]]
