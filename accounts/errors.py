"""What the accounts refuse, with words fit for the person who reads them."""


class AccountsError(Exception):
    """Base of everything the accounts refuse; `str()` may be shown."""

    message = "操作未能完成，请稍后重试。"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)


class NameRefusedError(AccountsError):
    """Not a name as an identity card carries it."""

    message = "请填写与证件一致的姓名，中间不能有空格和符号（间隔号“·”除外）。"


class RosterRefusedError(AccountsError):
    """A sheet is no registration list, or has too many people; the message says what lacks."""

    message = (
        "没有找到表头“姓名、身份证号码、手机号码”，"
        "请使用名单模板，在第一个工作表中填写后再上传。"
    )


class UsernameRefusedError(AccountsError):
    """Not a user name that could never be mistaken for a phone or an ID number."""

    message = "用户名应为4至20位字母、数字或下划线，以字母开头。"


class UsernameTakenError(AccountsError):
    """Somebody else has this user name."""

    message = "该用户名已被使用，请换一个。"


class CodeRateError(AccountsError):
    """Too many codes were asked for; `wait_seconds` tells when to come again."""

    message = "获取验证码过于频繁，请稍后再试。"

    def __init__(self, message: str = "", *, wait_seconds: int) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class CodeRefusedError(AccountsError):
    """The code is wrong, used, too old or of another browser; the words do not say which."""

    message = "验证码错误或已失效，请核对短信或重新获取。"


class OldCodeRefusedError(CodeRefusedError):
    """The code to the phone on file was wrong, where another phone has one too."""


class IdNumberTakenError(AccountsError):
    """The ID number belongs to an account."""

    message = (
        "该证件号码已注册账号，请直接登录；由单位统一注册的，请使用“首次登录”。"
        "忘记密码可用注册时的手机号码找回；手机号码已停用的，请在登录页办理“手机号码已停用”。"
    )


class PhoneTakenError(AccountsError):
    """The phone belongs to an account."""

    message = (
        "该手机号码已注册账号，请直接登录，或使用“忘记密码”重置密码；"
        "由单位统一注册的，请使用“首次登录”。"
    )


class RegistrationThrottledError(AccountsError):
    """Too many ID numbers were entered for one phone; says nothing about any of them."""

    message = "该手机号码今日提交次数过多，请明天再试，或联系在线客服。"


class LoginRefusedError(AccountsError):
    """Nobody gets in with this; the same words whatever the cause."""

    message = "用户名或密码错误。"


class LoginThrottledError(AccountsError):
    """Too many failures; says nothing about whether the account exists."""

    message = "尝试次数过多，请15分钟后再试，或使用短信验证码登录。"


class FirstLoginRequiredError(LoginRefusedError):
    """The first password of a pending account was right: it opens 首次登录, no session.

    A refusal to whoever does not know about first logins, the admin for one.
    """

    def __init__(self, *, person_code: str) -> None:
        super().__init__()
        self.person_code = person_code


class StaffAppLoginError(AccountsError):
    """Staff prove a second factor, which an app's token does not carry."""

    message = "管理人员账号不能在应用中登录，请使用网页。"


class AppLoginOverError(AccountsError):
    """There is no live login behind a token; the message says why it is over."""


class FirstLoginRefusedError(AccountsError):
    """No first login with this; the same words whatever the cause."""

    message = "身份证号码或初始密码错误，或初始密码已失效。"


class ActivationEndedError(AccountsError):
    """The page of 首次登录 stood open too long, or the account was activated meanwhile."""

    message = "页面已过期，请重新输入身份证号码和初始密码。"


class ConfirmationThrottledError(AccountsError):
    """The present password was wrong too often within an open session."""

    message = "密码错误次数过多，请15分钟后再试。"


class AccountMovedError(AccountsError):
    """The account was closed, or got another password or phone, while it was being changed."""

    message = "账号刚刚有变化，本次操作未生效，请重新登录后再试。"


class ClosingRefusedError(AccountsError):
    """The account cannot be closed as things are; the words say what to do first."""

    message = "该账号暂不能注销，请联系在线客服。"


class ExportThrottledError(AccountsError):
    """Own data was taken often enough today."""

    message = "今日导出次数已达上限，请明天再试。"


class PasswordWrongError(AccountsError):
    """The present password was asked for and is another."""

    message = "当前密码不正确。"


class PasswordRefusedError(AccountsError):
    """The new password holds data of the person."""

    message = "密码不能包含您的用户名、手机号码或证件号码。"


class SecondFactorRefusedError(AccountsError):
    """Neither a code of the app nor an unused recovery code; or one that was used before."""

    message = "动态验证码错误或已失效，请核对后重试。"


class SecondFactorThrottledError(AccountsError):
    """Too many wrong codes."""

    message = "尝试次数过多，请15分钟后再试。"


class OwnDeviceError(AccountsError):
    """Nobody takes the second factor off the own account."""

    message = "不能重置本人的两步验证，请由其他管理人员办理。"


class RegionRefusedError(AccountsError):
    """The district cannot be chosen today."""

    message = "该区县已调整，请重新选择。"


class UnitNotFoundError(AccountsError):
    """No such unit, or none that this person acts for."""

    message = "未找到该单位，或您不是该单位的经办人。"


class NoMembershipError(AccountsError):
    """The person does not belong to the unit (any more)."""

    message = "该人员已不在本单位名单中。"


class NoAppointmentError(AccountsError):
    """The person does not act for the unit (any more)."""

    message = "该人员已不是本单位的经办人。"


class LastCoordinatorError(AccountsError):
    """The unit would be left without anybody who acts for it; staff may do that."""

    message = "这是本单位最后一位经办人，请先邀请新的经办人，或联系在线客服办理。"


class InvitationThrottledError(AccountsError):
    """Too many invitations today; says nothing about the phone."""

    message = "今日邀请次数过多，请明天再试。"


class InvitationClosedError(AccountsError):
    """The invitation was answered, withdrawn or is too old."""

    message = "该邀请已失效，请联系邀请您的经办人重新发送。"


class InvitationPhoneError(AccountsError):
    """Somebody else's account than the one of the phone that was invited."""

    message = "该邀请不是发送给您账号的手机号码，请使用收到短信的手机号码注册或登录。"


class LevelRefusedError(AccountsError):
    """The series does not have this level."""

    message = "所选专业序列没有该级别，请重新选择。"


class ProofRefusedError(AccountsError):
    """A picture or PDF that cannot be taken as proof; the words say which and why."""

    message = "证明材料无法读取，请重新上传。"


class RequestNotFoundError(AccountsError):
    """No such request, or one of somebody else."""

    message = "没有找到该申请。"


class RequestStateError(AccountsError):
    """The request has come to its end, or is not where this step begins."""

    message = "该申请当前状态不能办理此操作。"


class RequestMovedError(AccountsError):
    """Somebody changed the request since the page was opened."""

    message = "该申请已有变化，请查看最新内容后再办理。"


class RequestRefusedError(AccountsError):
    """What is asked for cannot be had; the words say why."""


class RequestThrottledError(AccountsError):
    """Too many requests from one place, person or phone."""

    message = "今日提交申请的次数过多，请明天再试，或联系在线客服。"


class DeciderRefusedError(AccountsError):
    """This member of the staff may not decide this request."""

    message = "您不能审批该申请。"


class ListStateError(AccountsError):
    """The list has moved on since the page was shown."""

    message = "名单状态已变化，请刷新页面后再操作。"


class ListEmptyError(AccountsError):
    """No row of the list can be registered."""

    message = "名单中没有可以登记的人员，请修改后重新上传。"


class ListInvalidError(AccountsError):
    """Rows with problems are left out only by an explicit choice."""

    message = "名单中还有问题行。请修改后重新上传，或选择“先登记正确的人员”。"


class ListLimitError(AccountsError):
    """Too many lists, or rows, of one person in a day: a list tells who has an account."""

    message = "今日上传的名单过多，请明天再试，或联系在线客服。"


class ListNotAllowedError(AccountsError):
    """The person does not act for the unit (any more)."""

    message = "您不是该单位的经办人，不能办理此名单。"


class TwoPersonsError(AccountsError):
    """Whoever handed a list in does not decide on it."""

    message = "本人上传或提交的名单须由另一名工作人员审核。"


class DeliveryError(AccountsError):
    """A message was not delivered; `permanent` ones are not tried again."""

    message = "消息发送失败。"

    def __init__(self, message: str = "", *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class WeChatError(AccountsError):
    """WeChat did not answer or refused; the log has the details."""

    message = "微信授权未完成，请重试，或使用账号密码登录。"
