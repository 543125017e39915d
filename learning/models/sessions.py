"""The player's openings, and the one clock of a person."""

from django.conf import settings
from django.db import models

from catalog.models import Chapter
from learning.models.enrolments import Enrolment


class PlaySession(models.Model):
    """One opening of the player: who, where, until when, and why it ended.

    Written at its opening and its end only; what happens in between is the person's clock.
    `beats` counts those accepted, `jitter_ms` adds up how far each came from the player's
    rhythm: a machine keeps it to the millisecond, a browser on a line does not.
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
    beats = models.PositiveIntegerField("计时次数", default=0)
    jitter_ms = models.PositiveIntegerField("计时间隔偏差合计（毫秒）", default=0)

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
        indexes = [models.Index(fields=["ended_at"], name="play_session_by_end")]

    def __str__(self) -> str:
        return f"{self.person} {self.chapter}"


class PersonClock(models.Model):
    """One row per person: the only place where learning time passes.

    Locked by every beat, so that all windows and devices of a person share one second. It
    names the live play session and the login it belongs to; opening another replaces it.
    `balance_ms` is the time of this session that passed but was not used by playing (at most
    the tolerance, either way), which evens out beats that a slow line delays. `last_answer` is
    what a repeated beat is told; after a steady beat it is `last_gained_ms` alone.

    A steady beat (`services.steady_beats`) writes to this row and to nothing else: what was
    played from `run_from_ms` to `last_position_ms` is earned but not yet in the chapter's
    progress. `services.study.fold_run` puts it there; `run_limit_ms` is how far a run may go
    before something other than credit has to be decided.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        primary_key=True,
        related_name="learning_clock",
    )
    session = models.CharField("学习会话", max_length=26, blank=True)
    login = models.CharField("登录会话编号", max_length=64, blank=True)
    enrolment = models.ForeignKey(
        Enrolment, models.CASCADE, null=True, related_name="+"
    )
    chapter = models.ForeignKey(Chapter, models.CASCADE, null=True, related_name="+")
    sequence = models.PositiveIntegerField("序号", default=0)
    opened_at = models.DateTimeField("打开时间", null=True)
    last_beat_at = models.DateTimeField("上次计时", null=True)
    last_position_ms = models.PositiveIntegerField("上次位置（毫秒）", default=0)
    balance_ms = models.IntegerField("时间余量（毫秒）", default=0)
    credited_ms = models.PositiveIntegerField("本次计入（毫秒）", default=0)
    until_prompt_ms = models.PositiveIntegerField("距下次答题（毫秒）", default=0)
    hold_until = models.DateTimeField("暂停计时至", null=True)
    # What a steady beat writes ends here: PostgreSQL logs the span from the first to the last
    # column that changed.
    beats = models.PositiveIntegerField("计时次数", default=0)
    jitter_ms = models.PositiveIntegerField("计时间隔偏差合计（毫秒）", default=0)
    last_gained_ms = models.PositiveIntegerField("上次计入（毫秒）", null=True)
    run_from_ms = models.PositiveIntegerField("连续播放起点（毫秒）", default=0)
    run_limit_ms = models.PositiveIntegerField("连续播放上限（毫秒）", default=0)
    last_answer = models.JSONField("上次应答", default=dict)

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

    @property
    def has_run(self) -> bool:
        """Is there earned time that the chapter's progress does not hold yet?"""
        return self.last_position_ms > self.run_from_ms
