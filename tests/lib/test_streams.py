"""A video in several qualities: cut alike, none larger than the source, two files each."""

import re
from itertools import accumulate
from pathlib import Path

import pytest

from portal.lib import media
from portal.lib.streams import (
    Quality,
    Variant,
    make_qualities,
    readdress,
    write_variants,
)


def film(
    target: Path, size: str, *, seconds: int, key_frames: int, sound: bool
) -> Path:
    """A small MP4 of four pictures a second, with a key frame every so many pictures."""
    tone = ["-f", "lavfi", "-i", f"sine=d={seconds}"] if sound else []
    media.run_ffmpeg(
        [
            *("-f", "lavfi", "-i", f"testsrc=s={size}:r=4:d={seconds}", *tone),
            *("-pix_fmt", "yuv420p", "-preset", "ultrafast", "-g", str(key_frames)),
            *("-sc_threshold", "0", "-movflags", "+faststart", str(target)),
        ]
    )
    return target


def cuts(quality: Quality) -> list[str]:
    return re.findall(r"#EXTINF:([0-9.]+)", quality.playlist)


def ranges(quality: Quality) -> list[tuple[int, int]]:
    """Sizes and starts of the head and of all segments."""
    found = re.findall(r"BYTERANGE[:=]\"?(\d+)@(\d+)", quality.playlist)
    return [(int(size), int(start)) for size, start in found]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[Quality]:
    folder = tmp_path_factory.mktemp("two")
    source = film(folder / "in.mp4", "640x480", seconds=14, key_frames=6, sound=True)
    return make_qualities(source, folder, on_progress=lambda _percent: None)


def test_best_quality_is_the_source_and_the_second_smaller(two: list[Quality]) -> None:
    facts = [(q.name, q.width, q.height) for q in two]

    assert facts == [("480p", 640, 480), ("360p", 480, 360)]
    for quality in two:
        found = media.probe(quality.file)
        assert (found.width, found.height) == (quality.width, quality.height)
        assert (found.video_codec, found.audio_codec) == ("h264", "aac")
        # Pictures that are shown out of order begin a stream two of them later.
        assert 14_000 <= found.duration_ms <= 14_600


def test_qualities_are_cut_at_the_same_key_frames(two: list[Quality]) -> None:
    # A key frame every 1.5 s: the first at or after 6 s, and so on.
    assert cuts(two[0]) == cuts(two[1]) == ["6.000000", "6.000000", "2.000000"]


def test_playlist_names_every_byte_of_the_file_once(two: list[Quality]) -> None:
    for quality in two:
        found = ranges(quality)
        ends = list(accumulate(size for size, _start in found))
        assert [start for _size, start in found] == [0, *ends[:-1]]
        # What follows is an index that players need not have.
        assert ends[-1] <= quality.file.stat().st_size
        assert quality.playlist.count(f"{quality.name}.mp4") == len(found)
        assert quality.playlist.endswith("#EXT-X-ENDLIST\n")


def test_codecs_and_bandwidth_are_told(two: list[Quality]) -> None:
    for quality in two:
        assert re.fullmatch(r"avc1\.[0-9a-f]{6},mp4a\.40\.2", quality.codecs)
        greediest = max(size for size, _start in ranges(quality)[1:])
        assert greediest * 8 / 6 <= quality.bandwidth <= greediest * 8


def test_recording_with_one_key_frame_is_encoded_anew(tmp_path: Path) -> None:
    source = film(
        tmp_path / "in.mp4", "320x248", seconds=17, key_frames=1000, sound=False
    )

    best, second = make_qualities(source, tmp_path, on_progress=lambda _percent: None)

    assert cuts(best) == cuts(second) == ["6.000000", "6.000000", "5.000000"]
    assert (best.name, second.name) == ("248p", "240p")
    assert re.fullmatch(r"avc1\.[0-9a-f]{6}", best.codecs)


@pytest.mark.parametrize(
    ("size", "qualities"),
    [
        ("160x120", [("120p", 160, 120)]),
        ("400x720", [("400p", 400, 720), ("360p", 360, 648)]),
    ],
)
def test_small_and_upright_pictures(
    size: str, qualities: list[tuple[str, int, int]], tmp_path: Path
) -> None:
    source = film(tmp_path / "in.mp4", size, seconds=1, key_frames=4, sound=False)

    made = make_qualities(source, tmp_path, on_progress=lambda _percent: None)

    assert [(q.name, q.width, q.height) for q in made] == qualities
    assert [cuts(q) for q in made] == [["1.000000"]] * len(made)


def test_list_of_qualities() -> None:
    text = write_variants(
        [
            Variant("540p.m3u8", 960, 540, 800_000, "avc1.4d401f,mp4a.40.2"),
            Variant("360p.m3u8", 640, 360, 300_000, "avc1.4d401e,mp4a.40.2"),
        ]
    )

    assert text == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=960x540"
        ',CODECS="avc1.4d401f,mp4a.40.2"\n'
        "540p.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=640x360"
        ',CODECS="avc1.4d401e,mp4a.40.2"\n'
        "360p.m3u8\n"
    )


def test_addresses_in_a_playlist_are_exchanged() -> None:
    text = '#EXT-X-MAP:URI="a.mp4",BYTERANGE="9@0"\n#EXTINF:6,\na.mp4\n#EXT-X-ENDLIST\n'

    assert readdress(text, "a.mp4", "https://store/x?y=1&z=2") == (
        '#EXT-X-MAP:URI="https://store/x?y=1&z=2",BYTERANGE="9@0"\n'
        "#EXTINF:6,\nhttps://store/x?y=1&z=2\n#EXT-X-ENDLIST\n"
    )
