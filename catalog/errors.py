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
