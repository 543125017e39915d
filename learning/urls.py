from django.urls import path

from learning import api, views

app_name = "learning"
urlpatterns = [
    path("training/", views.training, name="training"),
    path("training/<slug:plan>/", views.course_list, name="course-list"),
    path("training/<slug:plan>/<slug:course>/", views.player, name="player"),
    path("learning/open/", api.session_open, name="session-open"),
    path("learning/beat/", api.beat, name="beat"),
    path("learning/close/", api.session_close, name="session-close"),
    path("learning/prompt/", api.prompt_answer, name="prompt-answer"),
]
