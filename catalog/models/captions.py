"""What a video says, as its captions tell."""

from django.db import models

from catalog.models.videos import Video


class CaptionText(models.Model):
    """The captions of a video as questions are made of them, read once for each file.

    `source` names the file that was read; a row of another file than the video has now is
    out of date. `words` are [word, [[from_ms, to_ms], …]], the most telling first; none when
    the file could not be read.
    """

    video = models.OneToOneField(
        Video,
        models.CASCADE,
        primary_key=True,
        related_name="caption_text",
        verbose_name="视频",
    )
    source = models.CharField("字幕文件", max_length=200)
    text = models.TextField("文字")
    words = models.JSONField("词语")
    read_at = models.DateTimeField("读取时间")

    class Meta:
        verbose_name = "字幕文字"
        verbose_name_plural = "字幕文字"

    def __str__(self) -> str:
        return self.source
