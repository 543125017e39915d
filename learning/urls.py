from django.urls import path

from learning import api, views
from learning.api import study_endpoint
from learning.api_v1 import views as api_v1

app_name = "learning"
urlpatterns = [
    path("training/", views.training, name="training"),
    path("training/<slug:plan>/", views.course_list, name="course-list"),
    path("training/<slug:plan>/<slug:course>/", views.player, name="player"),
    path("learning/records/", views.records, name="records"),
    path("learning/records/<int:stretch>/", views.appeal_new, name="appeal-new"),
    path("learning/appeals/<slug:code>/", views.appeal, name="appeal"),
    path("learning/appeals/<slug:code>/<slug:file>/", views.proof, name="appeal-proof"),
    path("learning/open/", study_endpoint(api.session_open), name="session-open"),
    path("learning/beat/", study_endpoint(api.beat), name="beat"),
    path("learning/close/", study_endpoint(api.session_close), name="session-close"),
    path("learning/prompt/", study_endpoint(api.prompt_answer), name="prompt-answer"),
    path("api/v1/study/plans/", api_v1.PlanList.as_view(), name="api-plans"),
    path(
        "api/v1/study/plans/<slug:plan>/courses/",
        api_v1.CourseList.as_view(),
        name="api-courses",
    ),
    path(
        "api/v1/study/plans/<slug:plan>/courses/<slug:course>/",
        api_v1.CourseDetail.as_view(),
        name="api-course",
    ),
    path("api/v1/study/hours/", api_v1.Hours.as_view(), name="api-hours"),
    path("api/v1/study/open/", api_v1.OpenSession.as_view(), name="api-open"),
    path("api/v1/study/beat/", api_v1.TakeBeat.as_view(), name="api-beat"),
    path("api/v1/study/close/", api_v1.CloseSession.as_view(), name="api-close"),
    path("api/v1/study/answer/", api_v1.AnswerPrompt.as_view(), name="api-answer"),
]
