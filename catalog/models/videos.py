"""Videos from upload to play."""

from pathlib import PurePosixPath

from django.conf import settings
from django.db import models


class Video(models.Model):
    """One file that can be played, and what probing it found.

    Staff upload a `source`; processing turns it into `file`, which browsers play and seek,
    and into a stream of several qualities (`VideoQuality`). The lease says that a worker is at
    it: it is renewed while the worker lives, so a video left behind by a killed one is free
    again soon.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "待处理"
        READY = "ready", "可播放"
        FAILED = "failed", "处理失败"

    source = models.FileField(
        "原始文件", upload_to="uploads/", max_length=200, blank=True
    )
    file = models.FileField("视频文件", upload_to="videos/", max_length=200, blank=True)
    poster = models.FileField("封面", upload_to="videos/", max_length=200, blank=True)
    captions = models.FileField(
        "字幕（WebVTT）", upload_to="captions/", max_length=200, blank=True
    )
    state = models.CharField("状态", max_length=8, choices=State, default=State.WAITING)
    has_stream = models.BooleanField("多清晰度", default=False)
    duration_ms = models.PositiveIntegerField("时长（毫秒）", default=0)
    width = models.PositiveSmallIntegerField("宽", default=0)
    height = models.PositiveSmallIntegerField("高", default=0)
    size = models.PositiveBigIntegerField("大小（字节）", default=0)
    failure = models.CharField("失败原因", max_length=200, blank=True)
    lease_until = models.DateTimeField("处理占用至", null=True, blank=True)
    percent = models.PositiveSmallIntegerField("处理进度（%）", default=0)
    created_at = models.DateTimeField("上传时间")

    class Meta:
        verbose_name = "视频"
        verbose_name_plural = "视频"
        constraints = [
            models.CheckConstraint(
                name="video_ready_can_be_played",
                condition=~models.Q(state="ready")
                | (~models.Q(file="") & models.Q(duration_ms__gt=0)),
            )
        ]

    def __str__(self) -> str:
        return PurePosixPath(self.source.name or self.file.name or "").name or "视频"

    @property
    def duration_seconds(self) -> int:
        """Whole seconds of playing time, rounded up."""
        return -(-self.duration_ms // 1000)


class VideoQuality(models.Model):
    """One quality of a video's stream: a fragmented MP4 and the playlist of its byte ranges.

    The playlist names the file as `<name>.mp4`. Bandwidth is in bits a second.
    """

    video = models.ForeignKey(Video, models.CASCADE, related_name="qualities")
    name = models.CharField("清晰度", max_length=8)
    width = models.PositiveSmallIntegerField("宽")
    height = models.PositiveSmallIntegerField("高")
    bandwidth = models.PositiveIntegerField("码率")
    codecs = models.CharField("编码", max_length=40)
    file = models.FileField("文件", upload_to="videos/", max_length=200)
    size = models.PositiveBigIntegerField("大小（字节）")
    playlist = models.TextField("分段表")

    class Meta:
        verbose_name = "清晰度"
        verbose_name_plural = "清晰度"
        constraints = [
            models.UniqueConstraint(fields=["video", "name"], name="video_quality_once")
        ]

    def __str__(self) -> str:
        return self.name


class VideoUpload(models.Model):
    """A file on its way from a browser, in parts; `video` once it is complete and taken.

    The person, the file's name, size and date of change find it again after a broken line.
    One that has a video and nothing received was put together: its parts are being deleted.
    """

    code = models.CharField("编号", max_length=32, unique=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+"
    )
    video = models.OneToOneField(
        Video, models.CASCADE, null=True, blank=True, related_name="upload"
    )
    name = models.CharField("文件名", max_length=150)
    size = models.PositiveBigIntegerField("大小（字节）")
    # Milliseconds since 1970, as the browser tells it.
    modified_ms = models.PositiveBigIntegerField("修改时间")
    received = models.PositiveBigIntegerField("已收到（字节）", default=0)
    touched_at = models.DateTimeField("最近收到")

    class Meta:
        verbose_name = "视频上传"
        verbose_name_plural = "视频上传"
        constraints = [
            models.CheckConstraint(
                name="video_upload_within_its_size",
                condition=models.Q(received__lte=models.F("size")),
            )
        ]

    def __str__(self) -> str:
        return self.name


class VideoUploadPart(models.Model):
    """Consecutive bytes of an upload from `offset` on."""

    upload = models.ForeignKey(VideoUpload, models.CASCADE, related_name="parts")
    offset = models.PositiveBigIntegerField("位置")
    file = models.FileField("文件", upload_to="uploads/parts/", max_length=200)

    class Meta:
        verbose_name = "视频上传分段"
        verbose_name_plural = "视频上传分段"
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "offset"], name="video_upload_part_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.upload_id}+{self.offset}"
