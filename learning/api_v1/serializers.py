"""What studying through the API takes and gives.

What the player's endpoints take is checked by `learning.forms` and their answers are built by
`learning.api`; here they are described, and tests hold the descriptions to the answers.
"""

from typing import Any

from rest_framework import serializers

from catalog.models import PlanCourse, Subject
from learning.models import Enrolment, Prompt, RefusedTime


def _intervals(help_text: str) -> serializers.ListField:
    pair = serializers.ListField(
        child=serializers.IntegerField(), min_length=2, max_length=2
    )
    return serializers.ListField(child=pair, help_text=help_text)


# --- Plans, courses, hours -----------------------------------------------------------------
class HeldPlanSerializer(serializers.Serializer[Any]):
    plan = serializers.CharField(source="code", help_text="计划编号")
    title = serializers.CharField(help_text="名称")
    year = serializers.IntegerField(help_text="年度")
    subject = serializers.ChoiceField(choices=Subject.choices, help_text="科目")
    subject_label = serializers.CharField(help_text="科目的中文名称")
    hours = serializers.IntegerField(help_text="学时")
    state = serializers.ChoiceField(
        choices=Enrolment.State.choices, help_text="学习状态"
    )
    percent = serializers.IntegerField(help_text="计划完成度，0 至 100")
    credits = serializers.IntegerField(source="credits_earned", help_text="已得学分")
    required_credits = serializers.IntegerField(help_text="学分要求")
    training_start = serializers.DateField(help_text="培训开始")
    training_end = serializers.DateField(help_text="培训结束，含当日")
    completed_at = serializers.DateTimeField(allow_null=True, help_text="结业时间")


class PlanListQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=Enrolment.State.choices, required=False, help_text="只列出这一状态"
    )


class CourseListQuery(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(
        choices=PlanCourse.Kind.choices, required=False, help_text="只列出这一类别"
    )


class StudyCourseSerializer(serializers.Serializer[Any]):
    course = serializers.CharField(source="course.code", help_text="课程编号")
    title = serializers.CharField(source="course.title", help_text="名称")
    kind = serializers.ChoiceField(
        source="course.kind", choices=PlanCourse.Kind.choices, help_text="必修或选修"
    )
    kind_label = serializers.CharField(
        source="course.kind_label", help_text="类别的中文名称"
    )
    credits = serializers.IntegerField(source="course.credits", help_text="学分")
    lecturer = serializers.CharField(source="course.lecturer_name", help_text="讲师")
    chapters = serializers.IntegerField(
        source="course.chapter_count", help_text="章节数"
    )
    chapters_done = serializers.IntegerField(help_text="已学完的章节数")
    duration_ms = serializers.IntegerField(
        source="course.duration_ms", help_text="时长，单位为毫秒"
    )
    percent = serializers.IntegerField(help_text="学习进度，0 至 100")
    completed = serializers.BooleanField(source="is_completed", help_text="已学完")


class StudyChapterSerializer(serializers.Serializer[Any]):
    chapter = serializers.IntegerField(help_text="章节序号")
    title = serializers.CharField(help_text="名称")
    completed = serializers.BooleanField(help_text="已学完")
    duration_ms = serializers.IntegerField(help_text="时长，单位为毫秒")
    covered_ms = serializers.IntegerField(help_text="已计入的时长，单位为毫秒")
    resume_ms = serializers.IntegerField(help_text="续播位置，单位为毫秒")
    video = serializers.CharField(
        allow_null=True,
        help_text="视频地址（短期有效，请求时带同一令牌）；null 表示视频正在准备",
    )
    poster = serializers.CharField(allow_null=True, help_text="封面地址")
    captions = serializers.CharField(allow_null=True, help_text="字幕（WebVTT）地址")


class CourseDetailSerializer(serializers.Serializer[Any]):
    course = serializers.CharField(help_text="课程编号")
    title = serializers.CharField(help_text="名称")
    summary = serializers.CharField(help_text="简介，可为空")
    kind = serializers.ChoiceField(
        choices=PlanCourse.Kind.choices, help_text="必修或选修"
    )
    credits = serializers.IntegerField(help_text="学分，学完全部章节后获得")
    lecturer = serializers.CharField(help_text="讲师")
    can_study = serializers.BooleanField(help_text="今天在培训时间内，学习计入学时")
    chapters = StudyChapterSerializer(many=True, help_text="章节，按顺序")


class HoursQuery(serializers.Serializer[Any]):
    year = serializers.IntegerField(
        min_value=2000, max_value=2100, required=False, help_text="年度，默认今年"
    )


class SubjectHoursSerializer(serializers.Serializer[Any]):
    earned = serializers.IntegerField(help_text="在本平台学得的和单位登记的学时")
    duty = serializers.IntegerField(help_text="每年要求的学时")


class HoursSerializer(serializers.Serializer[Any]):
    year = serializers.IntegerField(help_text="年度")
    general = SubjectHoursSerializer(help_text="公需科目")
    professional = SubjectHoursSerializer(help_text="专业科目")
    total = serializers.IntegerField(help_text="两科目合计的学时")


# --- The player ----------------------------------------------------------------------------
class OpenSerializer(serializers.Serializer[Any]):
    plan = serializers.CharField(max_length=60, help_text="计划编号")
    course = serializers.CharField(max_length=60, help_text="课程编号")
    chapter = serializers.IntegerField(min_value=0, help_text="章节序号")
    position_ms = serializers.IntegerField(
        min_value=0,
        required=False,
        allow_null=True,
        help_text="播放位置，单位为毫秒；省略表示从上次的位置继续",
    )


class BeatSerializer(serializers.Serializer[Any]):
    session = serializers.CharField(max_length=60, help_text="学习会话")
    sequence = serializers.IntegerField(
        min_value=1, help_text="每次加一；重发时不变，重发不重复计时"
    )
    position_ms = serializers.IntegerField(
        min_value=0, help_text="播放位置，单位为毫秒"
    )
    playing = serializers.BooleanField(help_text="正在播放")
    hidden = serializers.BooleanField(help_text="在后台播放")


class AnswerSerializer(serializers.Serializer[Any]):
    session = serializers.CharField(max_length=60, help_text="学习会话")
    prompt = serializers.CharField(max_length=60, help_text="题目编号")
    option = serializers.CharField(max_length=60, help_text="所选选项的编号")


class ChapterStandSerializer(serializers.Serializer[Any]):
    duration_ms = serializers.IntegerField(help_text="时长")
    covered = _intervals("已计入的区间，[起, 止]，单位为毫秒")
    covered_ms = serializers.IntegerField(help_text="已计入的时长")
    pending = _intervals("答题后计入的区间")
    pending_ms = serializers.IntegerField(help_text="答题后计入的时长")
    position_ms = serializers.IntegerField(help_text="续播位置")
    completed = serializers.BooleanField(help_text="已学完")


class PlanStandSerializer(serializers.Serializer[Any]):
    percent = serializers.IntegerField(help_text="计划完成度")
    credits = serializers.IntegerField(help_text="已得学分")
    completed = serializers.BooleanField(help_text="已结业")


class RefusedSerializer(serializers.Serializer[Any]):
    reason = serializers.ChoiceField(
        choices=RefusedTime.Reason.choices, help_text="原因"
    )
    label = serializers.CharField(help_text="原因的中文说明")  # type: ignore[assignment]
    ms = serializers.IntegerField(help_text="未计入的时长，单位为毫秒")


class OptionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="选项编号")
    text = serializers.CharField(help_text="内容")


class PromptSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="题目编号")
    stem = serializers.CharField(help_text="题目")
    options = OptionSerializer(many=True, help_text="选项，顺序每次不同")
    seconds_left = serializers.IntegerField(help_text="剩余秒数")
    seconds_given = serializers.IntegerField(help_text="答题时间，单位为秒")
    tries = serializers.IntegerField(help_text="最多几次")

    def get_fields(self) -> dict[str, Any]:
        # `try` is a word of Python's own.
        number = serializers.IntegerField(help_text="第几次")
        return super().get_fields() | {"try": number}


class StandSerializer(serializers.Serializer[Any]):
    """How the learner stands after a contact with the server."""

    session = serializers.CharField(help_text="学习会话")
    sequence = serializers.IntegerField(help_text="已收到的序号")
    credited_ms = serializers.IntegerField(help_text="本次计入的时长，单位为毫秒")
    refused_ms = serializers.IntegerField(help_text="本次未计入的时长，单位为毫秒")
    refused_reason = serializers.CharField(help_text="本次未计入的原因，可为空")
    refused = RefusedSerializer(many=True, help_text="本会话未计入的时间，按原因")
    chapter = ChapterStandSerializer(help_text="本章节")
    course_completed = serializers.BooleanField(help_text="本次学完了课程")
    plan_completed = serializers.BooleanField(help_text="本次学完了计划")
    plan = PlanStandSerializer(help_text="本计划")
    prompt = PromptSerializer(allow_null=True, help_text="等待回答的题目")
    prompt_due = serializers.BooleanField(help_text="答题前不再计时")
    hold_seconds = serializers.IntegerField(help_text="多少秒后才出下一题")
    token = serializers.CharField(
        help_text="连续播放时可凭它直接报到，见 docs/learning.md；应用不必使用"
    )


class OpenedSerializer(StandSerializer):
    video = serializers.CharField(help_text="视频地址，短期有效，请求时带同一令牌")
    stream = serializers.CharField(
        help_text="多清晰度播放列表（HLS）的地址，没有时为空，请求时带同一令牌"
    )


class JudgedSerializer(StandSerializer):
    outcome = serializers.ChoiceField(
        choices=Prompt.Outcome.choices, help_text="回答的结果"
    )


class ClosedSerializer(serializers.Serializer[Any]):
    closed = serializers.BooleanField(help_text="学习会话已结束")
