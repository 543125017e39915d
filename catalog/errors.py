"""What the catalogue refuses, in words for the person who asked."""


class CatalogError(Exception):
    """Base of everything the catalogue refuses."""

    message = "操作未成功"

    def __str__(self) -> str:
        return self.message


class PlanNotFoundError(CatalogError):
    message = "没有找到该培训计划"


class CourseNotFoundError(CatalogError):
    message = "没有找到该课程"


class VideoNotFoundError(CatalogError):
    message = "没有找到该视频"


class VideoLinkExpiredError(CatalogError):
    message = "播放地址已过期，请刷新页面"


class NotReadyError(CatalogError):
    """Something cannot be published yet; `problems` says what is missing, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(problems)
        self.problems = problems

    @property
    def message(self) -> str:  # type: ignore[override]
        return "；".join(self.problems)


class InUseError(CatalogError):
    """A course cannot be withdrawn while published plans hold it."""

    def __init__(self, plans: list[str]) -> None:
        super().__init__(plans)
        self.plans = plans

    @property
    def message(self) -> str:  # type: ignore[override]
        return f"课程仍在已发布的培训计划中：{'、'.join(self.plans)}"


class PriceRefusedError(CatalogError):
    """A price that cannot be set; the text says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UploadRefusedError(CatalogError):
    """A file that is not taken; the text says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class QuestionSheetError(CatalogError):
    """A sheet of questions that cannot be used; the text says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UploadIncompleteError(CatalogError):
    message = "视频文件尚未传完，请继续上传"


class PartDamagedError(CatalogError):
    message = "这一段在传输中损坏"


class PartOutOfPlaceError(CatalogError):
    """A part that does not follow the last one; `received` says where to go on, in bytes."""

    message = "上传位置不符"

    def __init__(self, received: int) -> None:
        super().__init__(received)
        self.received = received


class PlanExistsError(CatalogError):
    """The plan of the next year is there already."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def message(self) -> str:  # type: ignore[override]
        return f"计划编号 {self.code} 已存在，不能重复复制"
