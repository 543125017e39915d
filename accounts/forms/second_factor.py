"""The form of the staff's second factor."""

from django import forms


class SecondFactorForm(forms.Form):
    """Six digits of the app, or a recovery code."""

    code = forms.CharField(
        label="动态验证码",
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "autofocus": True,
                "spellcheck": "false",
            }
        ),
        error_messages={"required": "请填写动态验证码。"},
    )

    def clean_code(self) -> str:
        """Apps show the digits in two groups."""
        return "".join(self.cleaned_data["code"].split())
