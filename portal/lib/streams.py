"""One video in several qualities, as HLS: what a player changes between as the line allows.

Each quality is one fragmented MP4 beside a playlist that names byte ranges of it: two files
instead of thousands, found and deleted with their row, and one signed address for all segments.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from portal.lib.media import (
    MediaError,
    Probe,
    encoder_arguments,
    input_arguments,
    probe,
    run_with_progress,
)

SEGMENT_SECONDS = 6
# A recording with fewer key frames than this cannot be cut as it is: a segment is the least a
# player loads, and the least it can change quality after.
LONGEST_SEGMENT_SECONDS = 15
# Short sides of the second quality: the first that is below the source's own.
LOWER_SIDES = (360, 240)

_EXTINF = re.compile(r"#EXTINF:([0-9.]+)")
_BYTE_RANGE = re.compile(r"#EXT-X-BYTERANGE:(\d+)")


@dataclass(frozen=True)
class Quality:
    """One quality of a video. `bandwidth` is its greediest segment, in bits a second.

    `file` lies in the folder it was made in; `playlist` calls it by its bare name.
    """

    name: str
    width: int
    height: int
    bandwidth: int
    codecs: str
    file: Path
    playlist: str


def make_qualities(
    source: Path, folder: Path, *, on_progress: Callable[[int], None]
) -> list[Quality]:
    """Write `source`, an MP4 for the web, in one or two qualities; the best one first.

    The best is the source itself, cut at its own key frames (or encoded anew where those are
    too far apart); the second has its key frames at the same moments, so that a player may
    change at every segment. None is larger than the source; one below 240 lines gets no second.
    `on_progress` gets the whole percentages of each step and may raise. Raises MediaError.
    """
    found = probe(source)
    best = _write(source, folder, found, ["-c", "copy"], on_progress)
    if _longest_segment(best.playlist) > LONGEST_SEGMENT_SECONDS:
        best = _write(source, folder, found, encoder_arguments(found), on_progress)
    side = next((s for s in LOWER_SIDES if s < min(found.width, found.height)), None)
    if side is None:
        return [best]
    smaller = _shrink(found, side)
    codecs = _same_cuts_encoder(smaller, best.bandwidth)
    return [best, _write(best.file, folder, smaller, codecs, on_progress)]


def _shrink(found: Probe, side: int) -> Probe:
    """The same picture with `side` pixels on its short side, both sides even."""
    scale = side / min(found.width, found.height)
    width, height = (round(n * scale / 2) * 2 for n in (found.width, found.height))
    return replace(found, width=width, height=height)


def _same_cuts_encoder(wanted: Probe, bandwidth: int) -> list[str]:
    # A source that was pressed hard would grow at this quality; a weak line must gain by it.
    limit = max(64_000, int(bandwidth * 0.6))
    return [
        *("-vf", f"scale={wanted.width}:{wanted.height},setsar=1,format=yuv420p"),
        *("-c:v", "libx264", "-preset", "superfast", "-crf", "26"),
        *("-maxrate", str(limit), "-bufsize", str(limit * 2)),
        # Key frames where the best quality has them and nowhere else.
        *("-profile:v", "main", "-force_key_frames", "source"),
        *("-g", "100000", "-sc_threshold", "0", "-c:a", "copy"),
    ]


def _write(
    source: Path,
    folder: Path,
    wanted: Probe,
    codecs: Sequence[str],
    on_progress: Callable[[int], None],
) -> Quality:
    name = f"{min(wanted.width, wanted.height)}p"
    target, playlist = folder / f"{name}.mp4", folder / f"{name}.m3u8"
    arguments = [
        *("-y", *input_arguments(source), "-map", "0:v:0", "-map", "0:a:0?"),
        *("-map_metadata", "-1", "-map_chapters", "-1", *codecs),
        *("-f", "hls", "-hls_time", str(SEGMENT_SECONDS), "-hls_playlist_type", "vod"),
        *("-hls_segment_type", "fmp4", "-hls_flags", "single_file"),
        *("-hls_segment_filename", str(target), str(playlist)),
    ]
    run_with_progress(arguments, wanted.duration_ms, on_progress)
    text = playlist.read_text(encoding="utf-8")
    return Quality(
        name=name,
        width=wanted.width,
        height=wanted.height,
        bandwidth=_greediest_segment(text),
        codecs=_read_codecs(target, has_sound=wanted.audio_codec != ""),
        file=target,
        playlist=text,
    )


def _segments(playlist: str) -> list[tuple[float, int]]:
    """Seconds and bytes of each segment."""
    seconds = map(float, _EXTINF.findall(playlist))
    return list(zip(seconds, map(int, _BYTE_RANGE.findall(playlist)), strict=True))


def _longest_segment(playlist: str) -> float:
    return max(seconds for seconds, _size in _segments(playlist))


def _greediest_segment(playlist: str) -> int:
    # A last segment of a few frames says little about the line that is needed.
    return max(int(size * 8 / max(1, seconds)) for seconds, size in _segments(playlist))


def _read_codecs(file: Path, *, has_sound: bool) -> str:
    """What RFC 6381 calls the tracks, read from the head of an MP4. Raises MediaError."""
    with file.open("rb") as opened:
        head = opened.read(64 * 1024)
    box = head.find(b"avcC")
    if box < 0:
        raise MediaError("无法生成多清晰度视频：画面编码不是 H.264")
    # After the name and a version: profile, constraints and level.
    picture = f"avc1.{head[box + 5 : box + 8].hex()}"
    return f"{picture},mp4a.40.2" if has_sound else picture


@dataclass(frozen=True)
class Variant:
    """A line of the list of qualities. `address` is that of its playlist."""

    address: str
    width: int
    height: int
    bandwidth: int
    codecs: str


def write_variants(variants: Sequence[Variant]) -> str:
    """The playlist that names the qualities, in their order."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for variant in variants:
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={variant.bandwidth}"
            f",RESOLUTION={variant.width}x{variant.height}"
            f',CODECS="{variant.codecs}"'
        )
        lines.append(variant.address)
    return "\n".join([*lines, ""])


def readdress(playlist: str, name: str, address: str) -> str:
    """`playlist` with `address` for the file that it calls `name`."""
    return "\n".join(
        address
        if line == name
        else line.replace(f'URI="{name}"', f'URI="{address}"', 1)
        for line in playlist.split("\n")
    )
