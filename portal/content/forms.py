from django import forms

from portal.content.models import Article
from portal.content.rules import clean_html


class ArticleForm(forms.ModelForm):
    """An article as staff write it: HTML, cleaned of everything but plain markup."""

    class Meta:
        model = Article
        fields = (
            "title",
            "slug",
            "kind",
            "body",
            "is_pinned",
            "is_published",
            "published_at",
        )

    def clean_body(self) -> str:
        return clean_html(self.cleaned_data["body"])
