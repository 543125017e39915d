"""Reading captions once, so that no question has to."""

from datetime import datetime

from catalog.models import CaptionText, Video
from portal.lib.captions import LARGEST_CAPTIONS, CaptionsError, Cue, read_cues
from portal.lib.chinese_terms import find_terms


def read_captions(*, video_id: int, now: datetime) -> None:
    """Keep what the captions of a video say; nothing happens to a file that was read before.

    A file that is missing or no WebVTT leaves a row without words: it is not tried again.
    """
    video = Video.objects.select_related("caption_text").get(pk=video_id)
    source = video.captions.name or ""
    before = getattr(video, "caption_text", None)
    if not source or (before and before.source == source):
        return
    cues = _read_file(video)
    CaptionText.objects.update_or_create(
        video=video,
        defaults={
            "source": source,
            "text": "\n".join(cue.text for cue in cues),
            "words": _find_words(cues),
            "read_at": now,
        },
    )


def _read_file(video: Video) -> list[Cue]:
    try:
        with video.captions.open("rb") as file:
            return read_cues(file.read(LARGEST_CAPTIONS).decode())
    except (CaptionsError, UnicodeDecodeError, FileNotFoundError):
        return []


def _find_words(cues: list[Cue]) -> list[tuple[str, list[tuple[int, int]]]]:
    return [
        (term.text, [(cues[at].start_ms, cues[at].end_ms) for at in term.places])
        for term in find_terms(cue.text for cue in cues)
    ]
