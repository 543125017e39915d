from django.urls import path

from certificates import api, views

app_name = "certificates"
urlpatterns = [
    path("certificates/", views.certificate_list, name="list"),
    path("certificates/printed/", views.printed, name="printed"),
    path("certificates/new/<slug:plan>/", views.issue, name="issue"),
    path("certificates/<slug:number>/", views.detail, name="detail"),
    path("certificates/<slug:number>/file/", views.file, name="file"),
    path("certificates/<slug:number>/file/<int:version>/", views.file, name="version"),
    path("certificates/<slug:number>/refresh/", views.refresh, name="refresh"),
    path("v/<slug:token>/", views.verify, name="verify"),
    path("verify/", views.lookup, name="lookup"),
    path("verify/file/", views.check, name="check"),
    path(
        "api/v1/certificates/", api.CertificateList.as_view(), name="api-certificates"
    ),
]
