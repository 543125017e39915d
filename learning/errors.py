"""What learning refuses, in words for the learner; `code` is for the player."""


class LearningError(Exception):
    """Base of everything learning refuses."""

    code = "refused"
    message = "操作未成功"

    def __str__(self) -> str:
        return self.message


class InvalidInputError(LearningError):
    """A machine sent something that no honest player sends."""

    code = "invalid"
    message = "请求内容有误"


class EnrolmentNotFoundError(LearningError):
    """There is no such enrolment, or it is not this person's."""

    code = "not_found"
    message = "没有找到该学习计划"


class ChapterNotFoundError(LearningError):
    """The plan does not hold this course or chapter."""

    code = "not_found"
    message = "没有找到该课程章节"


class PromptNotFoundError(LearningError):
    """There is no such question, or it was put to somebody else."""

    code = "not_found"
    message = "没有找到该题目"


class SessionNotFoundError(LearningError):
    """There never was such a play session of this person."""

    code = "not_found"
    message = "没有找到该学习会话"


class NotEntitledError(LearningError):
    """The enrolment was revoked; nothing counts any more."""

    code = "not_entitled"
    message = "该学习计划未开通或已撤销，如有疑问请联系客服"


class OutsideTrainingPeriodError(LearningError):
    """Today is before the first or after the last day of the plan's training."""

    code = "outside_period"
    message = "当前不在该计划的培训时间内，不能计入学时"


class VideoUnavailableError(LearningError):
    """The chapter has no video that can be played."""

    code = "no_video"
    message = "本章节视频正在准备中，请稍后再试"


class TakenOverError(LearningError):
    """Another window or device of the same person has gone on learning."""

    code = "taken_over"
    message = "您已在其他窗口或设备上开始学习，本页面已停止计时"


class SessionEndedError(LearningError):
    """The session was closed or slept too long; the player may open another one."""

    code = "session_ended"
    message = "本次学习会话已结束"


class ReasonMissingError(LearningError):
    """Staff did something that has to be explained, without explaining it."""

    code = "reason_missing"
    message = "请填写原因"


class HoursRefusedError(LearningError):
    """Hours of a unit that cannot be recorded or decided so; the text says why."""

    code = "hours"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnitHoursNotFoundError(LearningError):
    """The unit has recorded no such hours."""

    code = "not_found"
    message = "没有找到该登记"


class StretchNotFoundError(LearningError):
    """There is no such stretch of time or appeal, or it is not this person's."""

    code = "not_found"
    message = "没有找到该学习记录"


class AppealRefusedError(LearningError):
    """A stretch cannot be appealed, or an appeal not granted; the words say why."""

    code = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CorrectionRefusedError(AppealRefusedError):
    """Credit cannot be taken away; the words say why."""


class FlagClosedError(LearningError):
    """Somebody else of the staff has closed the flag."""

    code = "refused"
    message = "该异常已由其他工作人员核查"
