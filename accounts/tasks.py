"""Wake-up calls and sweeps of the accounts."""

from celery import shared_task
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.errors import WeChatError
from accounts.models import RegistrationList
from accounts.queries.lists import list_idle_lists
from accounts.services import cleaning, lists, messages, wechat


@shared_task
def deliver_messages(**_kwargs: object) -> None:
    """Send what the outbox holds; woken after a commit, and by beat for what was missed."""
    messages.deliver_due_messages(clock=timezone.now)


@shared_task
def forget_old_traces(**_kwargs: object) -> None:
    """Delete codes, counters and message texts that have served their purpose."""
    cleaning.forget_old_traces(now=timezone.now())


@shared_task
def check_list(list_id: int, **_kwargs: object) -> None:
    """Read and check one registration list."""
    lists.check_list(list_id=list_id, clock=timezone.now)


@shared_task
def create_list_accounts(list_id: int, **_kwargs: object) -> None:
    """Open the accounts of one approved list."""
    lists.create_accounts(list_id=list_id, clock=timezone.now)
    deliver_messages.delay_on_commit()


@shared_task
def sweep_lists(**_kwargs: object) -> None:
    """Find lists whose wake-up call was lost or whose worker was killed."""
    now = timezone.now()
    for list_id in list_idle_lists(RegistrationList.TO_CHECK, now=now):
        check_list.delay(list_id)
    for list_id in list_idle_lists(RegistrationList.TO_CREATE, now=now):
        create_list_accounts.delay(list_id)


@shared_task(autoretry_for=(WeChatError,), retry_backoff=30, max_retries=5)
def publish_wechat_menu(**_kwargs: object) -> None:
    """Publish the service account's menu."""
    wechat.publish_menu(
        site_url=settings.SITE_URL, login_path=reverse("accounts:wechat-login")
    )
