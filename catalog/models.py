from datetime import date
from pathlib import PurePosixPath

from django.db import models

from catalog.rules import plan_price_fen


class Subject(models.TextChoices):
    GENERAL = "general", "公需科目"
    PROFESSIONAL = "professional", "专业科目"


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


class Video(models.Model):
    """One file that can be played, and what probing it found.

    Staff upload a `source`; processing turns it into `file`, which browsers play and seek.
    The lease says that a worker is at it: it is renewed while the worker lives, so a video
    left behind by a killed one is free again soon.
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


class Question(models.Model):
    """A single-choice question for the anti-idle prompts (防挂机答题) of a course."""

    course = models.ForeignKey(
        Course, models.CASCADE, related_name="questions", verbose_name="课程"
    )
    chapter = models.ForeignKey(
        Chapter,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="questions",
        verbose_name="章节",
    )
    stem = models.CharField("题干", max_length=200)
    is_active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = "防挂机题目"
        verbose_name_plural = "防挂机题目"

    def __str__(self) -> str:
        return self.stem


class Option(models.Model):
    question = models.ForeignKey(
        Question, models.CASCADE, related_name="options", verbose_name="题目"
    )
    text = models.CharField("选项", max_length=120)
    is_correct = models.BooleanField("正确", default=False)

    class Meta:
        verbose_name = "选项"
        verbose_name_plural = "选项"

    def __str__(self) -> str:
        return self.text


class PlanQuerySet(models.QuerySet["Plan"]):
    def published(self) -> "PlanQuerySet":
        return self.filter(is_published=True)


class Plan(models.Model):
    """A yearly plan (学习计划): one year × one subject, sold as a whole."""

    class Entry(models.IntegerChoices):
        ONE = 1, "入口一（红色封面）"
        TWO = 2, "入口二（蓝色封面）"

    class Pricing(models.TextChoices):
        PER_HOUR = "per_hour", "按学时"
        FLAT = "flat", "按计划"

    code = models.SlugField("计划编号", max_length=40, unique=True)
    year = models.PositiveSmallIntegerField("年度")
    subject = models.CharField("科目", max_length=16, choices=Subject)
    field = models.CharField("领域", max_length=16, choices=FieldOfStudy, blank=True)
    entry = models.PositiveSmallIntegerField("入口", choices=Entry, default=Entry.ONE)
    title = models.CharField("计划名称", max_length=80)
    summary = models.TextField("培训说明", blank=True)
    hours = models.PositiveSmallIntegerField("学时")
    required_credits = models.PositiveSmallIntegerField("要求学分")
    compulsory_credits = models.PositiveSmallIntegerField("其中必修学分", default=0)
    elective_credits = models.PositiveSmallIntegerField("其中选修学分", default=0)
    pricing = models.CharField("计价方式", max_length=10, choices=Pricing)
    unit_price_fen = models.PositiveIntegerField("单价（分）")
    training_start = models.DateField("培训开始")
    training_end = models.DateField("培训结束（含）")
    sale_start = models.DateField("报名开始")
    sale_end = models.DateField("报名结束（含）")
    is_published = models.BooleanField("已发布", default=False)
    courses: "models.ManyToManyField[Course, PlanCourse]" = models.ManyToManyField(
        Course, through="PlanCourse", related_name="plans", verbose_name="课程"
    )

    objects = PlanQuerySet.as_manager()

    class Meta:
        verbose_name = "培训计划"
        verbose_name_plural = "培训计划"
        constraints = [
            models.CheckConstraint(
                name="plan_training_period",
                violation_error_message="培训结束日期不能早于培训开始日期",
                condition=models.Q(training_end__gte=models.F("training_start")),
            ),
            models.CheckConstraint(
                name="plan_sale_window",
                violation_error_message="报名结束日期不能早于报名开始日期",
                condition=models.Q(sale_end__gte=models.F("sale_start")),
            ),
            models.CheckConstraint(
                name="plan_required_credits",
                violation_error_message="必修与选修学分之和不能超过要求学分",
                condition=models.Q(
                    required_credits__gte=models.F("compulsory_credits")
                    + models.F("elective_credits")
                ),
            ),
        ]
        indexes = [models.Index(fields=["subject", "year"], name="plan_by_subject")]

    def __str__(self) -> str:
        return self.title

    @property
    def price_fen(self) -> int:
        """The price of the whole plan in fen."""
        return plan_price_fen(
            per_hour=self.pricing == self.Pricing.PER_HOUR,
            unit_price_fen=self.unit_price_fen,
            hours=self.hours,
        )

    def is_on_sale(self, day: date) -> bool:
        return self.is_published and self.sale_start <= day <= self.sale_end

    def is_open_for_study(self, day: date) -> bool:
        return self.training_start <= day <= self.training_end


class PlanCourse(models.Model):
    """A course in a plan; compulsory (必修) and elective (选修) credits are counted apart."""

    class Kind(models.TextChoices):
        COMPULSORY = "compulsory", "必修"
        ELECTIVE = "elective", "选修"

    plan = models.ForeignKey(
        Plan, models.CASCADE, related_name="plan_courses", verbose_name="培训计划"
    )
    course = models.ForeignKey(
        Course, models.PROTECT, related_name="plan_courses", verbose_name="课程"
    )
    kind = models.CharField("类别", max_length=12, choices=Kind, default=Kind.ELECTIVE)
    position = models.PositiveSmallIntegerField("排序", default=0)

    class Meta:
        verbose_name = "计划课程"
        verbose_name_plural = "计划课程"
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "course"],
                name="course_once_in_plan",
                violation_error_message="同一计划内课程不能重复",
            )
        ]

    def __str__(self) -> str:
        return str(self.course)
