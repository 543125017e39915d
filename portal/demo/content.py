"""Sample notices, help pages, hotlines and blank forms of the public pages."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from portal.content.models import Article, Download, Hotline
from portal.content.rules import clean_html
from portal.demo.catalog import read_samples
from portal.demo.papers import (
    build_commitment_letter,
    build_manual,
    build_record_card,
    build_registration_list,
    build_voucher_form,
)


@dataclass(frozen=True)
class Form:
    """One file of the download centre."""

    slug: str
    title: str
    note: str
    file_name: str
    build: Callable[[], bytes]


def load_content(now: datetime) -> None:
    """Load or refresh the sample texts and forms; running twice changes nothing.

    Forms that are there are left as they are: staff may have put newer ones in their place.
    """
    articles, hotlines = read_samples("articles"), read_samples("hotlines")
    forms = _list_forms(articles, hotlines, timezone.localdate(now))
    known = set(Download.objects.values_list("slug", flat=True))
    made = {form.slug: form.build() for form in forms if form.slug not in known}
    with transaction.atomic():
        for number, row in enumerate(articles):
            _save_article(row, number, now)
        for position, row in enumerate(hotlines, start=1):
            Hotline.objects.update_or_create(
                label=row["label"],
                defaults={
                    "number": row["number"],
                    "note": row["note"],
                    "position": position,
                },
            )
        for position, form in enumerate(forms, start=1):
            if form.slug in made:
                _save_form(form, made[form.slug], position, now)


def _save_article(row: dict[str, Any], number: int, now: datetime) -> None:
    # Pages list the newest first; a minute apart keeps the order of the file.
    written = _at_nine(row["date"]) - timedelta(minutes=number)
    Article.objects.update_or_create(
        slug=row["slug"],
        defaults={
            "kind": Article.Kind(row["kind"]),
            "title": row["title"],
            "body": clean_html(row["body"]),
            "is_pinned": row.get("pinned", False),
            "published_at": min(written, now),
        },
    )


def _at_nine(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time(9)))


def _save_form(form: Form, content: bytes, position: int, now: datetime) -> None:
    row = Download(
        slug=form.slug,
        title=form.title,
        note=form.note,
        position=position,
        updated_at=now,
    )
    row.file.save(form.file_name, ContentFile(content), save=False)
    row.save()


def _list_forms(
    articles: list[dict[str, Any]], hotlines: list[dict[str, Any]], day: date
) -> list[Form]:
    help_pages = [row for row in articles if row["kind"] == Article.Kind.HELP]
    return [
        Form(
            "zhuce-mingdan",
            "专业技术人员继续教育培训学员注册名单（附件2）",
            "单位未注册人数超过 10 人时使用",
            "fujian2-zhuce-mingdan.xlsx",
            build_registration_list,
        ),
        Form(
            "caozuo-shouce",
            "专业技术人员继续教育网络培训操作手册",
            "注册、购买、学习、证书和发票的步骤",
            "caozuo-shouce.pdf",
            lambda: build_manual(help_pages, hotlines, day),
        ),
        Form(
            "jiaofei-pingzheng",
            "公需科目缴费凭证表",
            "已在其他平台缴费但未完成学习的，用于申请免费补学",
            "jiaofei-pingzheng.xlsx",
            lambda: build_voucher_form(day.year - 1),
        ),
        Form(
            "jiaofei-chengnuo",
            "缴费承诺书",
            "确已缴费但无法提供凭证的，须亲笔签名，纳入诚信档案",
            "jiaofei-chengnuo.pdf",
            build_commitment_letter,
        ),
        Form(
            "dengji-ka",
            "专业技术人员继续教育登记卡（2022版）",
            "由用人单位连续记载，存入业务档案",
            "dengji-ka-2022.pdf",
            build_record_card,
        ),
    ]
