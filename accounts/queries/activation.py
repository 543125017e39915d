"""Reads of 首次登录."""

from datetime import datetime

from accounts.models import User


def find_pending_person(code: str, *, now: datetime) -> User | None:
    """The person with this code whose first login is still open."""
    person = User.objects.filter(code=code, state=User.State.PENDING).first()
    return person if person is not None and person.awaits_first_login(now) else None
