"""What may not be a password: common ones and the person's own data (NIST SP 800-63B 5.1.1.2)."""

from typing import Any

from django.core.exceptions import ValidationError


class OwnDataValidator:
    """Refuse a password that contains the person's phone, ID number digits or user name."""

    def validate(self, password: str, user: Any = None) -> None:
        if user is None:
            return
        phone, id_number = user.phone, user.id_number
        own = [user.username, phone, id_number, id_number[-6:], id_number[6:14]]
        if any(len(part) >= 6 and part.lower() in password.lower() for part in own):
            raise ValidationError(
                "密码不能包含您的用户名、手机号码或证件号码。", code="password_own_data"
            )

    def get_help_text(self) -> str:
        return "密码不能包含您的用户名、手机号码或证件号码。"
