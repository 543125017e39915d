from django.urls import path

from portal.support import views

app_name = "support"
urlpatterns = [
    path("support/", views.conversation, name="conversation"),
    path("support/messages/", views.messages, name="messages"),
]
