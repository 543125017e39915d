"""Questions for the anti-idle prompts (防挂机答题)."""

from django.db import models

from catalog.models.courses import Chapter, Course


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
    # What it asks about is on screen from then on; learners are asked soon after.
    shown_at_ms = models.PositiveIntegerField("出现时间（毫秒）", null=True, blank=True)
    is_active = models.BooleanField("启用", default=True)

    class Meta:
        verbose_name = "防挂机题目"
        verbose_name_plural = "防挂机题目"
        constraints = [
            models.CheckConstraint(
                name="question_moment_in_chapter",
                violation_error_message="出现时间须与章节一同填写",
                condition=models.Q(shown_at_ms__isnull=True)
                | models.Q(chapter__isnull=False),
            )
        ]

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
