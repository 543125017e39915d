from django.db import models


class Article(models.Model):
    """A notice, a policy document or a help page."""

    class Kind(models.TextChoices):
        NOTICE = "notice", "通知公告"
        POLICY = "policy", "政策文件"
        HELP = "help", "帮助中心"

    slug = models.SlugField("地址", max_length=60, unique=True)
    kind = models.CharField("类别", max_length=8, choices=Kind)
    title = models.CharField("标题", max_length=100)
    body = models.TextField("正文（HTML）")
    is_pinned = models.BooleanField("置顶", default=False)
    is_published = models.BooleanField("已发布", default=True)
    published_at = models.DateTimeField("发布时间")

    class Meta:
        verbose_name = "文章"
        verbose_name_plural = "文章"
        indexes = [
            models.Index(fields=["kind", "published_at"], name="article_by_kind")
        ]

    def __str__(self) -> str:
        return self.title


class Download(models.Model):
    """A blank form or manual of the download centre (下载中心)."""

    slug = models.SlugField("地址", max_length=60, unique=True)
    title = models.CharField("名称", max_length=100)
    note = models.CharField("说明", max_length=200, blank=True)
    file = models.FileField("文件", upload_to="downloads/", max_length=200)
    position = models.PositiveSmallIntegerField("排序", default=0)
    is_published = models.BooleanField("已发布", default=True)
    updated_at = models.DateTimeField("更新时间")

    class Meta:
        verbose_name = "下载资料"
        verbose_name_plural = "下载资料"

    def __str__(self) -> str:
        return self.title


class Hotline(models.Model):
    """A telephone or QQ contact of the home page."""

    label = models.CharField("用途", max_length=60)
    number = models.CharField("号码", max_length=40)
    note = models.CharField("说明", max_length=80, blank=True)
    position = models.PositiveSmallIntegerField("排序", default=0)

    class Meta:
        verbose_name = "咨询方式"
        verbose_name_plural = "咨询方式"

    def __str__(self) -> str:
        return f"{self.label} {self.number}"
