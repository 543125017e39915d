from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig

# Loaded with the apps: the system checks register themselves, and every `shared_task` finds
# this Celery application.
from portal import checks
from portal.celery import app as celery_app

__all__ = ["PortalAdminConfig", "PortalConfig", "celery_app", "checks"]


class PortalConfig(AppConfig):
    name = "portal"
    verbose_name = "门户"


class PortalAdminConfig(AdminConfig):
    default_site = "portal.admin_site.PortalAdminSite"
