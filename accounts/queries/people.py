"""Reads about people, their agreements and what was sent to them."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from accounts.models import Consent, Message, Profile, User, WeChatLink
from accounts.personal_data import id_number_index, phone_index
from accounts.rules.accounts import canonical_account

MESSAGE_BOX_AGE = timedelta(hours=1)


def find_person_by_account(account: str) -> User | None:
    """The person behind what was typed at login: user name, phone or ID number.

    A user name begins with a letter and has no shape of an ID number, so the three never
    mean different people. One and the same query, whoever is found.
    """
    canonical = canonical_account(account)
    return User.objects.filter(Q(username=canonical) | _has_number(canonical)).first()


def find_person_by_number(text: str) -> User | None:
    """The person with exactly this phone or ID number, as staff type it."""
    return User.objects.filter(_has_number(canonical_account(text))).first()


def _has_number(canonical: str) -> Q:
    return Q(phone_index=phone_index(canonical)) | Q(
        id_number_index=id_number_index(canonical.upper())
    )


def find_person_by_phone(phone: str) -> User | None:
    """The person with this normalised phone, whatever the account's state."""
    return User.objects.filter(phone_index=phone_index(phone)).first()


def is_phone_taken(phone: str) -> bool:
    return User.objects.filter(phone_index=phone_index(phone)).exists()


def is_id_number_taken(number: str) -> bool:
    return User.objects.filter(id_number_index=id_number_index(number)).exists()


def find_profile(user: User) -> Profile | None:
    """The person's profile with region and unit loaded."""
    return (
        Profile.objects.select_related("region__successor", "unit")
        .filter(person=user)
        .first()
    )


def list_sent_messages(*, now: datetime) -> list[Message]:
    """SMS and mails of the last hour, newest first: what the message box shows."""
    return list(
        Message.objects.filter(
            channel__in=(Message.Channel.SMS, Message.Channel.MAIL),
            state=Message.State.SENT,
            sent_at__gt=now - MESSAGE_BOX_AGE,
        )
        .select_related("attachment")
        .order_by("-sent_at", "-pk")[:50]
    )


def list_consents(user: User) -> QuerySet[Consent]:
    """What the person agreed to, newest first."""
    return Consent.objects.filter(person=user).order_by("-given_at", "kind")


def find_wechat_link(user: User) -> WeChatLink | None:
    return WeChatLink.objects.filter(person=user).first()
