"""Wake-up calls and sweeps of the accounts."""

from celery import shared_task
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.errors import WeChatError
from accounts.services import cleaning, messages, wechat


@shared_task
def deliver_messages(**_kwargs: object) -> None:
    """Send what the outbox holds; woken after a commit, and by beat for what was missed."""
    messages.deliver_due_messages(now=timezone.now())


@shared_task
def forget_old_traces(**_kwargs: object) -> None:
    """Delete codes, counters and message texts that have served their purpose."""
    cleaning.forget_old_traces(now=timezone.now())


@shared_task(autoretry_for=(WeChatError,), retry_backoff=30, max_retries=5)
def publish_wechat_menu(**_kwargs: object) -> None:
    """Publish the service account's menu."""
    wechat.publish_menu(
        site_url=settings.SITE_URL, login_path=reverse("accounts:wechat-login")
    )
