"""What certificates refuse, each with words fit for the person who asked."""


class CertificateError(Exception):
    """Base of everything this app refuses; `str()` of it may be shown."""

    message = "证书操作未能完成，请稍后再试。"

    def __str__(self) -> str:
        return self.message


class SealGlyphMissingError(CertificateError):
    """The seal's font lacks a character of the organisation's name."""

    def __init__(self, characters: str) -> None:
        super().__init__(characters)
        self.message = f"印章字体缺少以下字符：{characters}"


class SealKeyError(CertificateError):
    """The seal's key or certificate is absent or does not fit."""

    message = "电子印章密钥或证书不可用。"


class CertificateNotFoundError(CertificateError):
    """There is no such certificate, or it is another person's."""

    message = "没有找到该证书。"


class NotCompletedError(CertificateError):
    message = "该培训计划尚未完成，完成全部学时后才能打印证书。"


class ProfileIncompleteError(CertificateError):
    """Details that print on the certificate are missing; `fields` names them."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(*fields)
        self.fields = fields
        self.message = "请先完善个人信息：" + "、".join(fields)


class CertificateRevokedError(CertificateError):
    message = "该证书已被撤销，不能再次制作。"


class NothingChangedError(CertificateError):
    message = "个人信息没有变化，证书无需刷新。"


class ReasonMissingError(CertificateError):
    message = "请填写撤销原因。"


class UnreadablePaperError(CertificateError):
    message = "这不是可以核验的 PDF 文件。"
