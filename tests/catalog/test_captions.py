"""What captions say, read once for each file."""

from datetime import datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile

from catalog import queries, services, tasks
from catalog.models import CaptionText, Chapter, Video
from tests.factories.catalog import ChapterFactory, make_course
from tests.factories.talks import DUTY, NETWORK, SOIL, make_captions

pytestmark = pytest.mark.django_db


@pytest.fixture
def chapter() -> Chapter:
    return ChapterFactory()


def caption(chapter: Chapter, content: str | bytes) -> Video:
    video = chapter.video
    data = content.encode() if isinstance(content, str) else content
    video.captions.save("talk.vtt", ContentFile(data))
    return video


def test_words_and_their_moments_are_kept(chapter: Chapter, now: datetime):
    video = caption(chapter, make_captions(NETWORK))

    services.read_captions(video_id=video.pk, now=now)

    found = queries.find_caption_text(chapter)
    assert found is not None
    assert found.text == NETWORK.strip()
    assert found.words[0] == ["撞库", [[18_000, 24_000], [24_000, 30_000]]]
    assert found.read_at == now


def test_a_file_is_read_once(chapter: Chapter, now: datetime, monkeypatch: Any):
    video = caption(chapter, make_captions(NETWORK))
    services.read_captions(video_id=video.pk, now=now)
    video.captions.storage.delete(video.captions.name)

    services.read_captions(video_id=video.pk, now=now)

    assert CaptionText.objects.get().text == NETWORK.strip()


@pytest.mark.parametrize(
    "content", [b"no captions", b"\xff\xfe\x00", b"WEBVTT\n\nNOTE nothing\n"]
)
def test_what_cannot_be_read_gives_no_words_and_is_not_tried_again(
    content: bytes, chapter: Chapter, now: datetime
):
    video = caption(chapter, content)

    services.read_captions(video_id=video.pk, now=now)

    row = CaptionText.objects.get()
    assert (row.text, row.words, row.source) == ("", [], video.captions.name)
    assert not queries.list_unread_captions().exists()


def test_a_lost_file_gives_no_words(chapter: Chapter, now: datetime):
    video = caption(chapter, make_captions(SOIL))
    video.captions.storage.delete(video.captions.name)

    services.read_captions(video_id=video.pk, now=now)

    assert CaptionText.objects.get().words == []


def test_a_video_without_captions_is_left_alone(chapter: Chapter, now: datetime):
    services.read_captions(video_id=chapter.video_id, now=now)

    assert not CaptionText.objects.exists()


def test_exchanged_captions_count_at_once_and_are_read_anew(
    chapter: Chapter, now: datetime
):
    video = caption(chapter, make_captions(NETWORK))
    services.read_captions(video_id=video.pk, now=now)

    caption(chapter, make_captions(SOIL))

    assert queries.find_caption_text(chapter) is None
    assert list(queries.list_unread_captions()) == [video]
    tasks.read_new_captions.delay()
    found = queries.find_caption_text(chapter)
    assert found is not None
    assert found.text == SOIL.strip()


def test_words_of_other_chapters_are_those_of_the_course(now: datetime):
    course = make_course(chapters=3)
    own, second, third = course.chapters.order_by("position")
    elsewhere = ChapterFactory()
    for chapter, talk in (
        *((own, DUTY), (second, SOIL), (third, SOIL)),
        (elsewhere, NETWORK),
    ):
        caption(chapter, make_captions(talk))
    tasks.read_new_captions.delay()

    words = queries.list_words_of_others(own)

    assert "土壤酸碱度" in words
    assert len(words) == len(set(words)) == 10
    assert "撞库" not in words
    assert "公需科目" not in words
