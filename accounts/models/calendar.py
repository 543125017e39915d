from django.db import models


class CalendarDay(models.Model):
    """A day on which work and week do not agree: a holiday, or a weekend that is made up.

    The State Council tells the days of a year in the November before; until a year's are
    entered here, Monday to Friday count (`portal.lib.working_days`).
    """

    date = models.DateField("日期", unique=True)
    is_working = models.BooleanField("上班")
    source = models.CharField("依据", max_length=60)

    class Meta:
        verbose_name = "节假日与调休"
        verbose_name_plural = "节假日与调休"

    def __str__(self) -> str:
        return f"{self.date} {'上班' if self.is_working else '放假'}"
