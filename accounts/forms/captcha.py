"""The captcha in a form: its two fields, shown only where the view asks for it."""

from typing import Any

from django import forms


class _AnswerInput(forms.TextInput):
    """Never filled in again: an answer is good once."""

    def format_value(self, value: Any) -> str | None:
        return None


class CaptchaMixin(forms.Form):
    """A form of somebody unknown, which may have to carry the answer to a captcha.

    Whether it must is decided by the view from its own counters, never by what was sent:
    leaving the fields out is a wrong answer. `picture` is the key of the picture to show.
    """

    captcha_key = forms.CharField(
        required=False, max_length=40, widget=forms.HiddenInput
    )
    captcha_answer = forms.CharField(
        label="图形验证码",
        required=False,
        max_length=10,
        widget=_AnswerInput(
            attrs={
                "inputmode": "numeric",
                "autocomplete": "off",
                "class": "num",
                "placeholder": "图中数字",
            }
        ),
    )
    picture = ""

    def refuse_captcha(self, words: str) -> None:
        self.add_error("captcha_answer", words)


class CaptchaForm(CaptchaMixin):
    """The captcha alone, where it is drawn anew without its form."""
