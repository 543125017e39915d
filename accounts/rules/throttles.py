"""How often something may be tried, decided from counters and a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Limit:
    """At most `count` tries within `window`, counted from the first of them."""

    count: int
    window: timedelta


# One person at one place who forgot the password: five tries, then a quarter of an hour.
LOGIN_PAIR = Limit(5, 15 * MINUTE)
# One account tried from many places: from here on only a code by SMS opens it for an hour.
# No lockout, or anybody could shut anybody out; and more than one place can reach alone.
LOGIN_ACCOUNT = Limit(50, HOUR)
# A whole school behind one address has hundreds of honest people; a list of stolen
# passwords has thousands of tries.
LOGIN_ADDRESS = Limit(200, 15 * MINUTE)

# Codes of the staff's authenticator apps: a million of them, three of which are right.
SECOND_FACTOR = Limit(5, 15 * MINUTE)

# Whoever proved a phone is told whether an ID number has an account: enough times to correct
# a mistake, too few to go through a list.
NUMBER_PHONE = Limit(10, DAY)

# A coordinator invites a few colleagues; each invitation is an SMS to somebody who did not ask
# for it.
INVITE_UNIT = Limit(20, DAY)
INVITE_PHONE = Limit(3, DAY)
INVITATION_LIFETIME = 7 * DAY
# A request brings up to six pictures. A town hall's address has many honest people; one phone
# and one person have a mistake or two to correct.
REQUEST_ADDRESS = Limit(20, DAY)
REQUEST_PHONE = Limit(3, DAY)
REQUEST_PERSON = Limit(10, DAY)
# The present password asked for within a session, which may be a stolen one.
CONFIRM_PERSON = Limit(5, 15 * MINUTE)
# Own data: enough to try again, too few to make the portal pack archives all day.
EXPORT_PERSON = Limit(3, DAY)

# Codes by SMS cost money and bother people (security.md).
CODE_PHONE_LIMITS = (Limit(1, MINUTE), Limit(5, HOUR), Limit(10, DAY))
CODE_ADDRESS_LIMITS = (Limit(20, HOUR),)
# Everything but codes: nobody's phone rings more often than this, whatever goes wrong here.
NOTICE_PHONE = Limit(20, DAY)
# Of the hourly cap of all SMS, how much notices may use up; the rest is kept for codes.
NOTICE_PERCENT = 80
CODE_LIFETIME = 5 * MINUTE
CODE_TRIES = 5
CODE_DIGITS = 6

# From so many recent tries on a picture with digits is to be read first (security.md): well
# below the numbers that refuse, above what honest people need. A class of thirty behind one
# address is troubled a little, and not shut out.
CAPTCHA_LOGIN_PAIR = Limit(3, LOGIN_PAIR.window)
CAPTCHA_LOGIN_ACCOUNT = Limit(10, LOGIN_ACCOUNT.window)
CAPTCHA_LOGIN_ADDRESS = Limit(50, LOGIN_ADDRESS.window)
CAPTCHA_NUMBER_PHONE = Limit(5, NUMBER_PHONE.window)
CAPTCHA_CODE_PHONE = Limit(3, HOUR)
CAPTCHA_CODE_ADDRESS = Limit(8, HOUR)
CAPTCHA_LIFETIME = 5 * MINUTE
CAPTCHA_DIGITS = 4
# One picture read for a code by SMS covers the form that is sent with that code.
CAPTCHA_PASS_LIFETIME = 10 * MINUTE


@dataclass(frozen=True)
class Window:
    """A counter: `count` tries since `started_at`."""

    count: int
    started_at: datetime

    def is_over(self, limit: Limit, *, now: datetime) -> bool:
        return now >= self.started_at + limit.window


def count_try(window: Window | None, limit: Limit, *, now: datetime) -> Window:
    """The counter after one more try; a new window begins where the old one is over."""
    if window is None or window.is_over(limit, now=now):
        return Window(1, now)
    return Window(window.count + 1, window.started_at)


def is_suspicious(window: Window, threshold: Limit, *, now: datetime) -> bool:
    """Whether so much was tried that the next try needs a captcha."""
    return window.count >= threshold.count and not window.is_over(threshold, now=now)


def is_allowed(window: Window, limit: Limit) -> bool:
    """Whether the try that `window` already counts may go ahead."""
    return window.count <= limit.count


def wait_until_free(
    sent_at: Sequence[datetime], limits: Sequence[Limit], *, now: datetime
) -> timedelta:
    """How long until one more may be sent, by sliding windows; zero if at once.

    `sent_at` holds every moment within the longest window.
    """
    waits = [timedelta()]
    for limit in limits:
        recent = sorted(moment for moment in sent_at if moment > now - limit.window)
        if len(recent) >= limit.count:
            waits.append(recent[-limit.count] + limit.window - now)
    return max(waits)
