"""What every template may show of the site; constant, so it costs no query."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "PORTAL_NAME": settings.PORTAL_NAME,
        "PORTAL_ORGANISER": settings.PORTAL_ORGANISER,
        "PORTAL_FILING": settings.PORTAL_FILING,
        "SERVICE_PHONE": settings.PORTAL_SERVICE_PHONE,
        "MESSAGE_BOX": settings.MESSAGE_BOX,
        "SERVICE_WORKER": settings.SERVICE_WORKER,
        "ADMIN_PATH": settings.ADMIN_PATH,
    }
