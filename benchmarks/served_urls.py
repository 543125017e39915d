"""The portal's addresses, one that does nothing and a beat made simply, through one middleware."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from benchmarks.naive import NaiveBeat
from portal import urls

handler400 = urls.handler400
handler403 = urls.handler403
handler404 = urls.handler404
handler500 = urls.handler500


@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    body = request.body and b"success"
    # As the middleware adds it, for the server that has none.
    length = {"Content-Length": str(len(body))}
    return HttpResponse(body, content_type="text/plain", headers=length)


urlpatterns = [
    path("nothing/", nothing),
    path("naive-beat/", NaiveBeat.as_view()),
    *urls.urlpatterns,
]
