"""Which files are taken as videos."""

from pathlib import PurePosixPath

from catalog.errors import UploadRefusedError

VIDEO_EXTENSIONS = [
    *("mp4", "m4v", "mov", "mkv", "webm", "avi", "flv", "wmv"),
    *("mpg", "mpeg", "ts", "3gp"),
]
# As much as deploy/nginx lets through in one go, for browsers without scripts.
LARGEST_UPLOAD = 4 * 1024**3


def refuse_upload(name: str, size: int) -> None:
    """Raise `UploadRefusedError` for a file that is no video or too large; size in bytes."""
    if PurePosixPath(name).suffix.lower().removeprefix(".") not in VIDEO_EXTENSIONS:
        raise UploadRefusedError(
            f"不支持这种文件类型，请选择 {'、'.join(VIDEO_EXTENSIONS)} 文件"
        )
    if size <= 0:
        raise UploadRefusedError("文件是空的，请重新选择")
    if size > LARGEST_UPLOAD:
        raise UploadRefusedError("文件超过 4 GB，请拆分为几个章节，或降低码率后上传")
