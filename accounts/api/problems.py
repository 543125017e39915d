"""Refusals of the app's login as problems."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.api.authentication import SCHEME
from accounts.errors import (
    AccountsError,
    FirstLoginRequiredError,
    LoginRefusedError,
    LoginThrottledError,
    StaffAppLoginError,
)
from accounts.rules.throttles import LOGIN_PAIR
from portal.lib.problems import ProblemError, code_of

# The page's words offer a login by SMS, which the API has not; a new password opens it again.
THROTTLED = "尝试次数过多，请15分钟后再试，或在网页上通过“忘记密码”重置密码。"
FIRST_LOGIN = "该账号尚未启用，请先在网页上完成首次登录。"


@contextmanager
def refusals_as_problems() -> Iterator[None]:
    """Let what a login refuses leave an API view as a problem."""
    try:
        yield
    except FirstLoginRequiredError as error:
        raise _problem(error, 403, FIRST_LOGIN) from error
    except LoginRefusedError as error:
        problem = _problem(error, 401, str(error))
        problem.auth_header = SCHEME
        raise problem from error
    except LoginThrottledError as error:
        problem = _problem(error, 429, THROTTLED)
        problem.wait = int(LOGIN_PAIR.window.total_seconds())
        raise problem from error
    except StaffAppLoginError as error:
        raise _problem(error, 403, str(error)) from error


def _problem(error: AccountsError, status: int, title: str) -> ProblemError:
    return ProblemError(status=status, code=code_of(type(error)), title=title)
