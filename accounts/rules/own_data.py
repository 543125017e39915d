"""Words of 导出我的数据."""

from collections.abc import Mapping

HIDDEN_CODE = "（含验证码，不提供）"

# The audit's actions as a person reads them; others stay as they are recorded.
_ACTIONS: Mapping[str, str] = {
    "account.registered": "注册账号",
    "account.activated": "首次登录，激活账号",
    "account.username_changed": "修改用户名",
    "account.password_changed": "修改密码",
    "account.password_reset": "重置密码",
    "account.phone_changed": "更换手机号码",
    "account.closed": "注销账号",
    "profile.updated": "修改个人信息",
    "wechat.linked": "绑定微信",
    "wechat.unlinked": "解除微信绑定",
    "personal_data.unmasked": "工作人员查看完整号码",
    "personal_data.exported": "导出个人数据",
}


def describe_action(action: str) -> str:
    return _ACTIONS.get(action, action)
