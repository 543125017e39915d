"""Words of 导出我的数据."""

from collections.abc import Mapping

HIDDEN_CODE = "（含验证码，不提供）"

# What the audit says about accounts, as a person reads it. What is not here (an action of a
# later version, say) stays as it was recorded rather than be left out.
_ACTIONS: Mapping[str, str] = {
    "account.registered": "注册账号",
    "account.opened": "由单位名单开户",
    "account.linked_to_unit": "已有账号关联到单位名单",
    "account.activated": "首次登录，激活账号",
    "account.staff_created": "开设工作人员账号",
    "account.username_changed": "修改用户名",
    "account.password_changed": "修改密码",
    "account.password_reset": "重置密码",
    "account.phone_changed": "更换手机号码",
    "account.phone_replaced": "经申请变更手机号码",
    "account.name_changed": "经申请变更姓名",
    "account.id_number_changed": "经申请变更证件号码",
    "account.closed": "注销账号",
    "admin.user_changed": "工作人员修改账号资料",
    "enrolment.opened_by_staff": "工作人员开通学习计划",
    "integrity.recorded": "记入诚信档案",
    "profile.updated": "修改个人信息",
    "second_factor.enrolled": "绑定两步验证",
    "second_factor.recovery_code_used": "使用两步验证恢复码",
    "second_factor.reset": "重置两步验证",
    "unit.coordinator_appointed": "成为单位经办人",
    "wechat.linked": "绑定微信",
    "wechat.unlinked": "解除微信绑定",
    "personal_data.unmasked": "工作人员查看完整号码",
    "personal_data.exported": "导出个人数据",
}


def describe_action(action: str) -> str:
    return _ACTIONS.get(action, action)
