"""Login for everything that asks Django, the admin among them: the same rules everywhere."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.db.models import BigAutoField, FilteredRelation, Q
from django.http import HttpRequest
from django.utils import timezone

from accounts.errors import LoginRefusedError, LoginThrottledError
from accounts.models import LiveSession, User
from accounts.services.login import check_login
from portal.lib.addresses import client_address
from portal.lib.kept_reads import KeptRead, Parameter, column_names

# Read by every request of everybody who is logged in: the account, and joined to it the
# sessions that have not ended (one, unless SESSIONS_AT_A_TIME says more), so that asking
# whether the browser's own is among them costs no query.
_ACCOUNT = KeptRead(
    lambda: (
        User.objects.annotate(
            live=FilteredRelation(
                "sessions", condition=Q(sessions__ended_at__isnull=True)
            )
        )
        .filter(pk=Parameter("pk", BigAutoField()))
        .values_list(
            *column_names(User),
            *("live__code", "live__pk", "live__started_at", "live__last_seen_at"),
        )
    )
)


class PersonBackend(ModelBackend):
    """Login by user name, phone or ID number; a session only for accounts in use."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if username is None or password is None:
            return None
        meta = request.META if request is not None else {}
        address = client_address(meta, trusted_proxies=settings.TRUSTED_PROXY_COUNT)
        try:
            return check_login(
                account=username, password=password, address=address, now=timezone.now()
            )
        except (LoginRefusedError, LoginThrottledError):
            return None

    def get_user(self, user_id: int) -> User | None:
        """The account of a session, None when it may not have one (any more)."""
        rows = _ACCOUNT.rows(pk=user_id)
        if not rows:
            return None
        columns = column_names(User)
        user = User.from_db("default", columns, rows[0][: len(columns)])
        user.live_sessions = {
            code: LiveSession(*facts)
            for code, *facts in (row[len(columns) :] for row in rows)
            if code is not None
        }
        return user if self.user_can_authenticate(user) else None

    def user_can_authenticate(self, user: Any) -> bool:
        """Asked at every request: a session ends when its account is closed."""
        return isinstance(user, User) and user.may_log_in
