from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, RequestContext, Template
from django.test import RequestFactory

from portal.templatetags.portal_ui import percent_of, widget_kind, yuan


@pytest.mark.parametrize(
    ("fen", "text"), [(3300, "33.00"), (5, "0.05"), (0, "0.00"), (None, "")]
)
def test_fen_are_shown_as_yuan(fen: int | None, text: str) -> None:
    assert yuan(fen) == text


@pytest.mark.parametrize(
    ("value", "whole", "percent"),
    [(15, 30, 50), (29, 30, 96), (40, 30, 100), (0, 30, 0), (5, 0, 0), (None, 3, 0)],
)
def test_percent_is_rounded_down_and_bounded(
    value: int | None, whole: int, percent: int
) -> None:
    assert percent_of(value, whole) == percent


class SampleForm(forms.Form):
    name = forms.CharField(label="姓名", help_text="与身份证一致")
    subject = forms.ChoiceField(label="科目", choices=[("a", "甲"), ("b", "乙")])
    invoice = forms.ChoiceField(
        label="发票", choices=[("now", "立即申请")], widget=forms.RadioSelect
    )
    consent = forms.BooleanField(label="我已阅读并同意")
    proof = forms.FileField(label="凭证", required=False)
    password = forms.CharField(label="密码", widget=forms.PasswordInput)
    token = forms.CharField(widget=forms.HiddenInput)


def render_field(name: str, form: forms.Form, **context: Any) -> str:
    template = Template('{% include "components/_field.html" %}')
    return template.render(Context({"field": form[name], **context}))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("name", "input"),
        ("subject", "select"),
        ("invoice", "choices"),
        ("consent", "checkbox"),
        ("proof", "file"),
        ("password", "input"),
        ("token", "hidden"),
    ],
)
def test_every_widget_has_its_layout(name: str, kind: str) -> None:
    assert widget_kind(SampleForm()[name]) == kind


def test_a_field_names_its_help_and_its_errors_for_screen_readers() -> None:
    html = render_field("name", SampleForm({}))

    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'id="id_name_helptext"' in html
    assert 'id="id_name_error"' in html
    assert 'class="form-control is-invalid"' in html
    assert '<label class="form-label" for="id_name">' in html


def test_a_field_without_errors_says_nothing_of_them() -> None:
    html = render_field("name", SampleForm())

    assert "is-invalid" not in html
    assert "_error" not in html


def test_a_select_and_a_checkbox_have_bootstraps_classes() -> None:
    assert 'class="form-select"' in render_field("subject", SampleForm())
    assert 'class="form-check-input"' in render_field("consent", SampleForm())


def test_radio_buttons_are_a_group_with_a_legend() -> None:
    html = render_field("invoice", SampleForm({}))

    assert "<fieldset" in html
    assert "<legend" in html
    assert 'aria-describedby="id_invoice_error"' in html
    assert 'for="id_invoice_0"' in html


def test_a_file_is_chosen_in_the_words_of_the_page() -> None:
    html = render_field("proof", SampleForm())

    assert "选择文件" in html
    assert "未选择文件" in html
    assert 'class="visually-hidden"' in html


def test_a_password_is_not_written_back() -> None:
    html = render_field("password", SampleForm({"password": "secret-of-mine"}))

    assert "secret-of-mine" not in html


def test_pages_keep_the_other_parameters() -> None:
    request = RequestFactory().get("/plans/", {"subject": "general", "page": "2"})
    page = Paginator(range(100), 10).page(2)
    template = Template('{% include "components/_pagination.html" %}')

    html = template.render(RequestContext(request, {"page_obj": page}))

    assert 'href="?subject=general&amp;page=3"' in html
    assert 'href="?subject=general&amp;page=1"' in html
    assert 'aria-current="page"><span class="page-link">2</span>' in html
    assert "共 100 条，第 2 / 10 页" in html


def test_a_single_page_needs_no_numbers() -> None:
    page = Paginator(range(3), 10).page(1)
    template = Template('{% include "components/_pagination.html" %}')

    assert template.render(Context({"page_obj": page})).strip() == ""


def test_progress_is_a_native_element_with_a_name() -> None:
    template = Template('{% include "components/_progress.html" %}')

    html = template.render(Context({"value": 12, "max": 30, "label": "公需科目"}))

    assert '<progress value="12" max="30" aria-label="公需科目">40%</progress>' in html
