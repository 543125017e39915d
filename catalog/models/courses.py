"""Lecturers, courses and their chapters."""

from django.db import models

from catalog.models.videos import Video


class FieldOfStudy(models.TextChoices):
    """Fields of study (专业领域) as the 2026 notice lists them."""

    ENGINEERING = "engineering", "工程建设"
    EDUCATION = "education", "教育新知"
    AGRICULTURE = "agriculture", "农业技术"
    ECONOMY = "economy", "宏观经济"
    ECOLOGY = "ecology", "生态环保"
    MANAGEMENT = "management", "综合管理"


class Lecturer(models.Model):
    name = models.CharField("姓名", max_length=40)
    title = models.CharField("职称", max_length=60, blank=True)
    organisation = models.CharField("所在单位", max_length=120, blank=True)
    introduction = models.TextField("简介", blank=True)

    class Meta:
        verbose_name = "讲师"
        verbose_name_plural = "讲师"

    def __str__(self) -> str:
        return self.name


class Course(models.Model):
    """A course (课程): one credit is one hour; every chapter must be finished for them."""

    code = models.SlugField("课程编号", max_length=40, unique=True)
    title = models.CharField("课程名称", max_length=80)
    field = models.CharField("领域", max_length=16, choices=FieldOfStudy)
    lecturer = models.ForeignKey(
        Lecturer, models.PROTECT, related_name="courses", verbose_name="讲师"
    )
    credits = models.PositiveSmallIntegerField("学分")
    summary = models.TextField("课程简介", blank=True)
    cover = models.ImageField("封面", upload_to="covers/", blank=True)
    is_published = models.BooleanField("已发布", default=False)

    class Meta:
        verbose_name = "课程"
        verbose_name_plural = "课程"

    def __str__(self) -> str:
        return self.title


class Chapter(models.Model):
    """A chapter (章节) is one video."""

    course = models.ForeignKey(
        Course, models.CASCADE, related_name="chapters", verbose_name="课程"
    )
    position = models.PositiveSmallIntegerField("序号")
    title = models.CharField("章节名称", max_length=80)
    video = models.ForeignKey(
        Video,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="chapters",
        verbose_name="视频",
    )

    class Meta:
        verbose_name = "章节"
        verbose_name_plural = "章节"
        constraints = [
            models.UniqueConstraint(
                fields=["course", "position"],
                name="chapter_position_in_course",
                violation_error_message="同一课程内章节序号不能重复",
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.title}"
