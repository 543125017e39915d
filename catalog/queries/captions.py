"""What the chapters of a course say, for questions about it."""

from django.db.models import Exists, F, OuterRef, QuerySet

from catalog.models import CaptionText, Chapter, Video


def list_unread_captions() -> QuerySet[Video]:
    """Videos whose captions were added or exchanged since they were read."""
    read = CaptionText.objects.filter(video=OuterRef("pk"), source=OuterRef("captions"))
    return Video.objects.exclude(captions="").filter(~Exists(read)).order_by("pk")


def find_caption_text(chapter: Chapter) -> CaptionText | None:
    """What is said in the chapter; None without captions."""
    return _current().filter(video=chapter.video_id).first()


def list_words_of_others(chapter: Chapter) -> list[str]:
    """Words that the other chapters of its course are about, each once, in a fixed order."""
    rows = (
        _current()
        .filter(video__chapters__course=chapter.course_id)
        .exclude(video=chapter.video_id)
        .values_list("words", flat=True)
    )
    return sorted({word for words in rows for word, _ in words})


def _current() -> QuerySet[CaptionText]:
    return CaptionText.objects.filter(source=F("video__captions"))
