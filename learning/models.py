from django.conf import settings
from django.db import models

from catalog.models import Chapter, Course, Plan, Question
from portal.lib.codes import random_code


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def live(self) -> "EnrolmentQuerySet":
        """Those that give a right to study: open or completed, not revoked."""
        return self.exclude(state=Enrolment.State.REVOKED)


class Enrolment(models.Model):
    """A person's right to study one plan. One row per person and plan, for ever.

    `source` tells what opened it; learning knows no money, so the number is only text.
    `earned_*` are totals that only grow, kept by the ledger in the transaction of a course's
    completion.
    """

    class State(models.TextChoices):
        OPEN = "open", "学习中"
        COMPLETED = "completed", "已结业"
        REVOKED = "revoked", "已撤销"

    class Source(models.TextChoices):
        ORDER = "order", "订单"
        CODE = "code", "激活码"
        VOUCHER = "voucher", "缴费凭证"
        STAFF = "staff", "工作人员"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="enrolments",
        verbose_name="学员",
    )
    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="enrolments", verbose_name="培训计划"
    )
    state = models.CharField("状态", max_length=12, choices=State, default=State.OPEN)
    source = models.CharField("来源", max_length=12, choices=Source)
    source_number = models.CharField("来源编号", max_length=40, blank=True)
    opened_at = models.DateTimeField("开通时间")
    completed_at = models.DateTimeField("结业时间", null=True, blank=True)
    compulsory_earned = models.PositiveSmallIntegerField("已得必修学分", default=0)
    elective_earned = models.PositiveSmallIntegerField("已得选修学分", default=0)
    percent = models.PositiveSmallIntegerField("计划完成度", default=0)

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = "学习计划开通"
        verbose_name_plural = "学习计划开通"
        constraints = [
            models.UniqueConstraint(
                fields=["person", "plan"], name="enrolment_once_per_plan"
            ),
            models.CheckConstraint(
                name="enrolment_completed_has_time",
                condition=~models.Q(state="completed")
                | models.Q(completed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.plan}"

    @property
    def credits_earned(self) -> int:
        return self.compulsory_earned + self.elective_earned

    @property
    def is_live(self) -> bool:
        return self.state != self.State.REVOKED

    @property
    def is_completed(self) -> bool:
        return self.state == self.State.COMPLETED


class ChapterProgress(models.Model):
    """What of a chapter a person has covered within an enrolment.

    `covered` is the merged union of credited media intervals, [[from_ms, to_ms], …] in rising
    order; `covered_ms` is its length. Neither ever shrinks. `pending` waits for the answer of
    the next prompt and never overlaps `covered`.
    """

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="chapter_progress",
        verbose_name="学习计划",
    )
    chapter = models.ForeignKey(
        Chapter, models.PROTECT, related_name="progress", verbose_name="章节"
    )
    covered = models.JSONField("已计入区间", default=list)
    covered_ms = models.PositiveIntegerField("已计入（毫秒）", default=0)
    pending = models.JSONField("待确认区间", default=list)
    pending_ms = models.PositiveIntegerField("待确认（毫秒）", default=0)
    position_ms = models.PositiveIntegerField("续播位置（毫秒）", default=0)
    completed_at = models.DateTimeField("完成时间", null=True, blank=True)
    updated_at = models.DateTimeField("更新时间")

    class Meta:
        verbose_name = "章节进度"
        verbose_name_plural = "章节进度"
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "chapter"], name="progress_once_per_chapter"
            )
        ]

    def __str__(self) -> str:
        return f"{self.enrolment} {self.chapter}"


class CourseCompletion(models.Model):
    """That every chapter of a course was finished; the credits are copied as they were then."""

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="course_completions",
        verbose_name="学习计划",
    )
    course = models.ForeignKey(
        Course, models.PROTECT, related_name="completions", verbose_name="课程"
    )
    credits = models.PositiveSmallIntegerField("学分")
    is_compulsory = models.BooleanField("必修")
    completed_at = models.DateTimeField("完成时间")

    class Meta:
        verbose_name = "课程完成"
        verbose_name_plural = "课程完成"
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "course"], name="completion_once_per_course"
            )
        ]

    def __str__(self) -> str:
        return f"{self.enrolment} {self.course}"


class PlaySession(models.Model):
    """One opening of the player: who, where, until when, and why it ended.

    Written at its opening and its end only; what happens in between is the person's clock.
    """

    class End(models.TextChoices):
        CLOSED = "closed", "学员关闭"
        TAKEN_OVER = "taken_over", "其他设备或窗口接替"
        IDLE = "idle", "长时间无响应"
        REVOKED = "revoked", "学习计划已撤销"

    code = models.CharField("会话编号", max_length=26, unique=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="play_sessions",
        verbose_name="学员",
    )
    enrolment = models.ForeignKey(
        Enrolment, models.CASCADE, related_name="play_sessions", verbose_name="学习计划"
    )
    chapter = models.ForeignKey(
        Chapter, models.CASCADE, related_name="play_sessions", verbose_name="章节"
    )
    opened_at = models.DateTimeField("打开时间")
    ended_at = models.DateTimeField("结束时间", null=True, blank=True)
    end = models.CharField("结束原因", max_length=12, choices=End, blank=True)
    credited_ms = models.PositiveIntegerField("本次计入（毫秒）", default=0)

    class Meta:
        verbose_name = "学习会话"
        verbose_name_plural = "学习会话"
        constraints = [
            models.CheckConstraint(
                name="session_end_has_reason",
                condition=models.Q(ended_at__isnull=True, end="")
                | models.Q(ended_at__isnull=False) & ~models.Q(end=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.chapter}"


class PersonClock(models.Model):
    """One row per person: the only place where learning time passes.

    Locked by every beat, so that all windows and devices of a person share one second. It
    names the live play session; opening another replaces it. `balance_ms` is the time of this
    session that passed but was not used by playing (at most the tolerance, either way), which
    evens out beats that a slow line delays. `last_answer` is what a repeated beat is told.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="learning_clock",
    )
    session = models.CharField("学习会话", max_length=26, blank=True)
    session_key = models.CharField("登录会话摘要", max_length=64, blank=True)
    enrolment = models.ForeignKey(
        Enrolment, models.CASCADE, null=True, related_name="+"
    )
    chapter = models.ForeignKey(Chapter, models.CASCADE, null=True, related_name="+")
    sequence = models.PositiveIntegerField("序号", default=0)
    last_answer = models.JSONField("上次应答", default=dict)
    opened_at = models.DateTimeField("打开时间", null=True)
    last_beat_at = models.DateTimeField("上次计时", null=True)
    last_position_ms = models.PositiveIntegerField("上次位置（毫秒）", default=0)
    balance_ms = models.IntegerField("时间余量（毫秒）", default=0)
    credited_ms = models.PositiveIntegerField("本次计入（毫秒）", default=0)
    until_prompt_ms = models.PositiveIntegerField("距下次答题（毫秒）", default=0)
    hold_until = models.DateTimeField("暂停计时至", null=True)

    class Meta:
        verbose_name = "学习时钟"
        verbose_name_plural = "学习时钟"
        indexes = [
            # For the sweep of idle sessions. No column of an index may be one that a beat
            # writes: PostgreSQL would lose its cheap in-page updates.
            models.Index(
                fields=["person"],
                condition=~models.Q(session=""),
                name="clock_live_sessions",
            )
        ]

    def __str__(self) -> str:
        return f"{self.person}的学习时钟"


class Prompt(models.Model):
    """An anti-idle question as it was put to a person. The key never leaves the server.

    `delivered_at` is the first sign that the question reached the learner: one that a broken
    line swallowed costs nothing and is asked again.
    """

    class Outcome(models.TextChoices):
        RIGHT = "right", "答对"
        WRONG = "wrong", "答错"
        EXPIRED = "expired", "超时未答"
        UNDELIVERED = "undelivered", "未送达"

    code = models.CharField("编号", max_length=16, unique=True, default=random_code)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="prompts",
        verbose_name="学员",
    )
    enrolment = models.ForeignKey(
        Enrolment, models.CASCADE, related_name="prompts", verbose_name="学习计划"
    )
    chapter = models.ForeignKey(
        Chapter, models.CASCADE, related_name="prompts", verbose_name="章节"
    )
    question = models.ForeignKey(Question, models.SET_NULL, null=True, related_name="+")
    stem = models.CharField("题干", max_length=200)
    # [[random id, text], …] in the order shown.
    options = models.JSONField("选项")
    correct_option = models.CharField("正确选项", max_length=16)
    try_number = models.PositiveSmallIntegerField("第几次", default=1)
    issued_at = models.DateTimeField("出题时间")
    deadline_at = models.DateTimeField("答题期限")
    delivered_at = models.DateTimeField("送达时间", null=True)
    closed_at = models.DateTimeField("结束时间", null=True)
    outcome = models.CharField("结果", max_length=12, choices=Outcome, blank=True)
    dropped_ms = models.PositiveIntegerField("未计入（毫秒）", default=0)

    class Meta:
        verbose_name = "防挂机答题"
        verbose_name_plural = "防挂机答题"
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(closed_at__isnull=True),
                name="prompt_one_open_per_person",
            )
        ]

    def __str__(self) -> str:
        return self.stem


class RefusedTime(models.Model):
    """Seconds that were not credited, with the reason the learner reads; one row per session
    and reason, which only grows."""

    class Reason(models.TextChoices):
        NETWORK = "network", "网络中断"
        PROMPT = "prompt", "未按时答题"
        TOO_FAST = "too_fast", "快进或倍速"
        REPEATED = "repeated", "重复观看"
        TAKEN_OVER = "taken_over", "其他设备正在学习"
        NOT_ENTITLED = "not_entitled", "学习计划未开通"

    enrolment = models.ForeignKey(
        Enrolment,
        models.CASCADE,
        related_name="refused_time",
        verbose_name="学习计划",
    )
    chapter = models.ForeignKey(
        Chapter, models.CASCADE, related_name="+", verbose_name="章节"
    )
    session = models.CharField("学习会话", max_length=26)
    reason = models.CharField("原因", max_length=16, choices=Reason)
    milliseconds = models.PositiveIntegerField("时长（毫秒）", default=0)
    first_at = models.DateTimeField("开始时间")
    last_at = models.DateTimeField("最近时间")

    class Meta:
        verbose_name = "未计入时间"
        verbose_name_plural = "未计入时间"
        constraints = [
            models.UniqueConstraint(
                fields=["session", "reason"], name="refused_time_once_per_session"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} {self.milliseconds // 1000} 秒"
