from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAdminUser

from portal import (
    errors,
    health,
    my_hours_views,
    own_data_views,
    plan_views,
    unit_hours_views,
    unit_views,
    views,
    web_app,
)

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.page_not_found
handler500 = errors.server_error

urlpatterns = [
    path("", views.home, name="home"),
    path("space/", views.dashboard, name="dashboard"),
    path("space/hours/", my_hours_views.my_hours, name="my-hours"),
    path("space/my-data/", own_data_views.own_data, name="own-data"),
    path("plans/", plan_views.plan_list, name="plan-list"),
    path("plans/<slug:code>/", plan_views.plan_detail, name="plan-detail"),
    path(
        "plans/<slug:plan>/courses/<slug:course>/",
        plan_views.course_detail,
        name="course-detail",
    ),
    path("unit/", unit_views.overview, name="unit-overview"),
    path("unit/progress/", unit_views.progress, name="unit-progress"),
    path("unit/progress/export/", unit_views.export, name="unit-progress-export"),
    path("manifest.webmanifest", web_app.manifest, name="manifest"),
    path("sw.js", web_app.service_worker, name="service-worker"),
    path("offline/", web_app.offline, name="offline"),
    path("unit/hours/", unit_hours_views.index, name="unit-hours"),
    path("unit/hours/new/", unit_hours_views.record, name="unit-hours-new"),
    path(
        "unit/hours/<slug:code>/withdraw/",
        unit_hours_views.withdraw,
        name="unit-hours-withdraw",
    ),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path(
        "api/v1/schema/",
        SpectacularAPIView.as_view(permission_classes=[IsAdminUser]),
        name="api-schema",
    ),
    path("", include("accounts.urls")),
    path("", include("catalog.urls")),
    path("", include("learning.urls")),
    path("", include("orders.urls")),
    path("", include("certificates.urls")),
    path("", include("invoices.urls")),
    path("", include("portal.content.urls")),
    path("", include("portal.support.urls")),
    path(settings.ADMIN_PATH, admin.site.urls),
]
