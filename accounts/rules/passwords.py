"""What may not be a password: common ones and the person's own data (NIST SP 800-63B 5.1.1.2)."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

STAFF_LENGTH = 12


@dataclass(frozen=True)
class Candidate:
    """Somebody who has no account yet, as the validators see people."""

    username: str = ""
    phone: str = ""
    id_number: str = ""
    is_staff: bool = False


class LengthValidator:
    """Django's own says this in English where a translation is missing."""

    def __init__(self, min_length: int = 8) -> None:
        self.min_length = min_length

    def validate(self, password: str, user: Any = None) -> None:
        if len(password) < self.min_length:
            raise ValidationError(self.get_help_text(), code="password_too_short")

    def get_help_text(self) -> str:
        return f"密码至少需要{self.min_length}个字符。"


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


class StaffLengthValidator:
    """Whoever can open the accounts of others needs a longer password (security.md)."""

    def validate(self, password: str, user: Any = None) -> None:
        if user is not None and user.is_staff and len(password) < STAFF_LENGTH:
            raise ValidationError(
                f"工作人员的密码至少需要{STAFF_LENGTH}个字符。", code="password_staff"
            )

    def get_help_text(self) -> str:
        return f"工作人员的密码至少需要{STAFF_LENGTH}个字符。"


def refuse_weak_password(password: str, person: Any) -> None:
    """Ask the validators of the settings; `person` is a `User` or a `Candidate`.

    Raises Django's `ValidationError`, one message for each thing that is wrong.
    """
    validate_password(password, person)
