"""Django behind Ostiary: `ISSUER=https://login.example.org AUDIENCE=wiki.example.org django_app.py runserver`."""

import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from ostiary_client import Trust, current_identity, has_role, signed_in

TRUST = Trust(issuer=os.environ["ISSUER"], audience=os.environ["AUDIENCE"], public=("/", "/healthz"))

settings.configure(
    ALLOWED_HOSTS=["*"],
    MIDDLEWARE=["ostiary_client.django.DjangoMiddleware"],
    OSTIARY=TRUST,
    ROOT_URLCONF=__name__,
)


def healthz(_: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def front(_: HttpRequest) -> HttpResponse:
    who = current_identity()
    return HttpResponse(f"Hello {who.name}." if who else "Hello, whoever you are.", content_type="text/plain")


def me(_: HttpRequest) -> HttpResponse:
    who = signed_in()
    return JsonResponse({"id": who.id, "email": who.email, "roles": who.roles})


@has_role("editor")
def editor(_: HttpRequest) -> HttpResponse:
    return HttpResponse("The red pencil is yours.")


urlpatterns = [path("healthz", healthz), path("", front), path("me", me), path("editor", editor)]
application = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
