from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("video/<str:token>/<str:name>", views.video, name="video"),
]
