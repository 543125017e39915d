from django.urls import path

from portal.content import views

app_name = "content"
urlpatterns = [
    path("notices/", views.notices, name="notices"),
    path("notices/<slug:slug>/", views.notice, name="notice"),
    path("downloads/", views.downloads, name="downloads"),
    path("downloads/<slug:slug>/", views.download_file, name="download-file"),
    path("help/", views.help_index, name="help"),
    path("help/<slug:slug>/", views.help_page, name="help-page"),
]
