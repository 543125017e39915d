"""Anti-idle questions (防挂机答题) as they were put."""

from django.conf import settings
from django.db import models

from catalog.models import Chapter, Question
from learning.models.enrolments import Enrolment
from portal.lib.codes import random_code


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


class QuestionTally(models.Model):
    """How a question of a pool fared, added up as its prompts are closed.

    Counting the prompts themselves would read millions of rows for a page of questions.
    `answer_ms` is the sum over the answered ones, from the issue to the answer's arrival.
    """

    question = models.OneToOneField(
        Question,
        models.CASCADE,
        primary_key=True,
        related_name="+",
        verbose_name="题目",
    )
    right = models.PositiveIntegerField("答对", default=0)
    wrong = models.PositiveIntegerField("答错", default=0)
    expired = models.PositiveIntegerField("超时未答", default=0)
    answer_ms = models.PositiveBigIntegerField("答题用时合计（毫秒）", default=0)

    class Meta:
        verbose_name = "题目统计"
        verbose_name_plural = "题目统计"

    def __str__(self) -> str:
        return str(self.question)
