from django import forms

from portal.support.models import ConversationMessage
from portal.support.rules import TOPICS

TEXT_LENGTH = ConversationMessage._meta.get_field("text").max_length


class MessageForm(forms.Form):
    """What a visitor writes; the topic is asked for with the first message only."""

    topic = forms.ChoiceField(label="咨询内容", choices=TOPICS)
    text = forms.CharField(
        label="消息",
        max_length=TEXT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "请描述您遇到的问题"}),
        help_text="请勿填写密码、短信验证码或完整的身份证号码。",
    )

    def __init__(
        self, *args: object, has_topic: bool = False, **kwargs: object
    ) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if has_topic:
            del self.fields["topic"]


class AnswerForm(forms.ModelForm):
    """A conversation in the admin: read, answered, closed."""

    answer = forms.CharField(
        label="回复",
        max_length=TEXT_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 80}),
        help_text="保存后学员即可看到。",
    )
    close = forms.BooleanField(label="结束会话", required=False)
