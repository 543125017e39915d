"""The words of every message the accounts send; providers get template and values too."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class MessageText:
    """`text` has places for values.

    Codes go out before everything else. Neither they nor a link for one person only are
    ever shown to staff: they open something to whoever reads them.
    """

    title: str
    text: str
    subject: str = ""
    holds_code: bool = False
    holds_link: bool = False

    @property
    def is_secret(self) -> bool:
        return self.holds_code or self.holds_link

    def render(self, values: Mapping[str, str]) -> str:
        return self.text.format_map(values)


_IGNORE = "如非本人操作，请忽略本短信，不要将验证码告诉他人。"

TEMPLATES: Mapping[str, MessageText] = {
    "code_register": MessageText(
        "注册验证码",
        "您正在注册账号，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_login": MessageText(
        "登录验证码",
        "您正在登录，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_reset": MessageText(
        "重置密码验证码",
        "您正在重置密码，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_activate": MessageText(
        "首次登录验证码",
        "您正在首次登录，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_request": MessageText(
        "手机号码变更申请验证码",
        "您正在提交或查询手机号码变更申请，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_old_phone": MessageText(
        "更换手机号码验证码",
        "您正在更换账号的手机号码，验证码{code}，5分钟内有效。"
        "如非本人操作，请勿告诉他人并尽快修改密码。",
        holds_code=True,
    ),
    "code_new_phone": MessageText(
        "新手机号码验证码",
        "您正在将账号的手机号码更换为本号码，验证码{code}，5分钟内有效。" + _IGNORE,
        holds_code=True,
    ),
    "code_close": MessageText(
        "注销账号验证码",
        "您正在注销账号，注销后无法恢复，验证码{code}，5分钟内有效。"
        "如非本人操作，请勿告诉他人并尽快修改密码。",
        holds_code=True,
    ),
    "code_sign": MessageText(
        "签署验证码",
        "您正在签署缴费承诺书，验证码{code}，5分钟内有效。填写即视为本人签名，"
        "如非本人操作，请勿告诉他人并尽快修改密码。",
        holds_code=True,
    ),
    "already_registered": MessageText(
        "已注册提醒",
        "该手机号码已注册账号，无需再次注册，请直接登录（由单位统一注册的请使用首次登录）；"
        "忘记密码可在登录页重置。如非本人操作，请忽略本短信。",
    ),
    "phone_changed_old": MessageText(
        "手机号码更换提醒",
        "您的账号已更换为新的手机号码{phone}，本号码不能再用于登录。"
        "如非本人操作，请立即联系在线客服。",
    ),
    "phone_changed_new": MessageText(
        "手机号码更换提醒",
        "本号码已成为您账号的手机号码，今后请用本号码登录和接收验证码。"
        "如非本人操作，请联系在线客服。",
    ),
    "account_closed": MessageText(
        "账号注销提醒",
        "您的账号已注销，手机号码和证件号码可重新注册。如非本人操作，请立即联系在线客服。",
    ),
    "password_changed": MessageText(
        "密码修改提醒",
        "您的账号密码已修改。如非本人操作，请立即重置密码并联系在线客服。",
    ),
    "account_opened": MessageText(
        "单位开户通知",
        "{unit}已为您开通专业技术人员继续教育账号。请在{date}前打开{address}，用身份证号码登录，"
        "初始密码为{rule}，按提示完成首次登录并设置自己的密码。",
    ),
    "list_done": MessageText(
        "注册名单办结通知",
        "{unit}的注册名单{code}已办理：新开户{new}人，关联已有账号{linked}人，未登记{failed}人。"
        "请在24小时内下载结果：{address}",
    ),
    "list_reply": MessageText(
        "注册名单办理回复",
        "您好：\n\n{unit}的注册名单（编号{code}）已办理完毕：新开户{new}人，关联已有账号{linked}人，"
        "未登记{failed}人。逐人结果见附件。\n\n新开户人员请在{days}天内完成首次登录：账号为本人证件号码，"
        "初始密码为{rule}；登录时需用本人手机接收短信验证码，并设置自己的密码。"
        "已有账号的人员用原来的密码登录。\n\n结果也可在单位工作台下载（24小时内有效）：{address}",
        subject="注册名单办理结果",
    ),
    "list_returned": MessageText(
        "注册名单退回通知",
        "{unit}的注册名单{code}已退回，原因：{reason}。请修改后重新上传：{address}",
    ),
    "list_returned_mail": MessageText(
        "注册名单退回回复",
        "您好：\n\n{unit}的注册名单（编号{code}）已退回，名单中的人员均未注册。\n\n原因：{reason}\n\n"
        "请修改后重新提交。单位经办人也可登录单位工作台上传：{address}",
        subject="注册名单已退回",
    ),
    "coordinator_invited": MessageText(
        "经办人邀请",
        "{inviter}邀请您担任“{unit}”的经办人，请在7天内打开链接查看并答复：{address}"
        "。如与您无关，请忽略本短信。",
        holds_link=True,
    ),
    "coordinator_ended": MessageText(
        "经办人身份结束提醒",
        "您已不再担任“{unit}”的经办人。如有疑问，请联系单位或在线客服。",
    ),
    "coordinator_ended_by": MessageText(
        "结束经办人身份提醒",
        "您已结束{name}的“{unit}”经办人身份。如非本人操作，请立即联系在线客服。",
    ),
    "request_filed": MessageText(
        "手机号码变更申请受理通知",
        "您的手机号码变更申请已提交，受理编号{reference}，我们将在3个工作日内审核。"
        "如非本人操作，请联系在线客服。",
    ),
    "request_watched": MessageText(
        "手机号码变更申请提醒",
        "有人申请变更您账号登记的手机号码，正在复核。如非本人申请，"
        "请立即登录并在“我的申请”中撤回，或联系在线客服。",
    ),
    "phone_replaced": MessageText(
        "手机号码变更办结通知",
        "您账号的手机号码已变更为本号码，原密码已停用。"
        "请用本号码以短信验证码登录，或通过“忘记密码”设置新密码。",
    ),
    "phone_replaced_pending": MessageText(
        "手机号码变更办结通知",
        "您账号的手机号码已变更为本号码，请用本号码办理首次登录。",
    ),
    "phone_given_up": MessageText(
        "手机号码变更提醒",
        "您的账号不再使用本手机号码。如非本人申请，请立即联系在线客服。",
    ),
    "request_approved": MessageText(
        "申请通过通知",
        "您提交的{title}申请已通过，请登录后在“我的申请”中查看。",
    ),
    "request_returned": MessageText(
        "申请退回通知",
        "您提交的{title}申请需要补充或更正，请登录后在“我的申请”中查看原因并重新提交。",
    ),
    "request_refused": MessageText(
        "申请未通过通知",
        "您提交的{title}申请未通过，请登录后在“我的申请”中查看原因。",
    ),
    "phone_request_closed": MessageText(
        "手机号码变更申请结果通知",
        "您的手机号码变更申请（受理编号{reference}）未能办理，"
        "请在登录页“手机号码已停用”中查询原因。",
    ),
    "code_given": MessageText(
        "激活码赠送通知",
        "{giver}赠送您“{plan}”的激活码，请登录后在“我的激活码”中激活并学习：{address}",
    ),
    "code_given_pending": MessageText(
        "激活码赠送通知（首次登录）",
        "{giver}赠送您“{plan}”的激活码，请用身份证号码办理首次登录，再到“我的激活码”中激活：{address}",
    ),
    "group_opened": MessageText(
        "团体购买开通通知",
        "{unit}已为您购买{plan}，学习计划已开通。请登录学习：{address}",
    ),
    "group_opened_pending": MessageText(
        "团体购买开通通知（首次登录）",
        "{unit}已为您购买{plan}，学习计划已开通。请用身份证号码办理首次登录后学习：{address}",
    ),
    "claim_approved": MessageText(
        "缴费凭证审核通过通知",
        "您提交的{year}年度{title}已审核通过，该年度补学已免费开通，请登录后在“课程培训”中学习。",
    ),
    "claim_returned": MessageText(
        "缴费凭证退回通知",
        "您提交的{year}年度{title}需要补充或更正，请登录后在“我的凭证”中查看原因并重新提交。",
    ),
    "claim_refused": MessageText(
        "缴费凭证未通过通知",
        "您提交的{year}年度{title}未通过审核，请登录后在“我的凭证”中查看原因。",
    ),
    "appeal_approved": MessageText(
        "学时申诉通过通知",
        "您提交的学时申诉已通过，计入{time}，请登录后在“学习记录”中查看。",
    ),
    "appeal_returned": MessageText(
        "学时申诉退回通知",
        "您提交的学时申诉需要补充，请登录后在“学习记录”中查看原因并重新提交。",
    ),
    "appeal_refused": MessageText(
        "学时申诉未通过通知",
        "您提交的学时申诉未通过，请登录后在“学习记录”中查看原因。",
    ),
    "credit_removed": MessageText(
        "学时核查通知",
        "经核查，您在“{plan}”中已计入的学习时间扣减{time}，请登录后在“学习记录”中查看原因。"
        "如有疑问，请联系在线客服。",
    ),
    "unit_hours_rejected": MessageText(
        "单位登记学时抽查通知",
        "{unit}为您登记的{year}年度专业科目{hours}学时经抽查不予认可，不再计入年度学时，"
        "请登录后在“我的学时”中查看原因，如有疑问请联系该单位。",
    ),
    "unit_hours_rejected_unit": MessageText(
        "单位登记学时抽查通知（经办人）",
        "{unit}为{name}登记的{year}年度专业科目{hours}学时经抽查不予认可，"
        "请登录后在单位工作台“学时登记”中查看原因。",
    ),
    "unit_hours_restored": MessageText(
        "单位登记学时复核通知",
        "{unit}为您登记的{year}年度专业科目{hours}学时经复核予以认可，已重新计入年度学时，"
        "请登录后在“我的学时”中查看。",
    ),
    "integrity_recorded": MessageText(
        "诚信档案记入通知",
        "经核查，您{day}的学习情况已记入诚信档案，请登录后在“诚信档案”中查看。如有疑问，请联系在线客服。",
    ),
    "invoice_issued": MessageText(
        "发票开具通知",
        "您为订单{order}申请的电子发票已开具，发票号码{number}。请登录后查看和下载：{address}",
        subject="电子发票已开具",
    ),
}
