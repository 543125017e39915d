import unicodedata

from django import forms
from django.core.files.uploadedfile import UploadedFile

from accounts.forms.fields import ReasonField

# A certificate of ours has about 85 kB.
LARGEST_FILE = 2 * 1024 * 1024


class LookupForm(forms.Form):
    """A certificate by its number and the name on it: numbers alone could be counted through."""

    number = forms.CharField(
        label="证书编号",
        max_length=24,
        widget=forms.TextInput(
            attrs={"placeholder": "如 2026-GX-0000001", "autocomplete": "off"}
        ),
    )
    name = forms.CharField(
        label="姓名",
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def clean_number(self) -> str:
        number = unicodedata.normalize("NFKC", self.cleaned_data["number"])
        return "".join(number.split()).upper()


class FileCheckForm(forms.Form):
    file = forms.FileField(
        label="合格证 PDF 文件",
        widget=forms.ClearableFileInput(attrs={"accept": "application/pdf,.pdf"}),
    )

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > LARGEST_FILE:
            raise forms.ValidationError("文件超过 2 MB，不是本平台制发的合格证。")
        return file


class RevocationForm(forms.Form):
    """Staff say why a certificate is revoked; the holder and verifiers read it."""

    reason = ReasonField(
        label="撤销原因", max_length=200, widget=forms.Textarea(attrs={"rows": 3})
    )
