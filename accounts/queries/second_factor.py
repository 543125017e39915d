"""Reads about the second factor of the staff."""

from accounts.models import RecoveryCode, StaffDevice, User


def find_device(person: User) -> StaffDevice | None:
    device: StaffDevice | None = StaffDevice.objects.filter(user_id=person.pk).first()
    return device


def count_recovery_codes(device: StaffDevice) -> int:
    """How many are left."""
    return RecoveryCode.objects.filter(device=device, used_at__isnull=True).count()
