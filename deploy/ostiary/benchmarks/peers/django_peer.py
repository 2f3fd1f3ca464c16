"""Django: its own sessions in the database (or also in its cache), its own people, its groups as roles."""

import json
import os
import sys
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import django
from django.conf import settings

address = urlsplit(os.environ["PEER_DATABASE_URL"])
settings.configure(
    SECRET_KEY=os.environ["PEER_SECRET"],
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="django_peer",
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": address.path.strip("/"),
            "USER": address.username,
            "HOST": parse_qs(address.query)["host"][0],
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    SESSION_ENGINE=f"django.contrib.sessions.backends.{os.environ.get('PEER_SESSIONS', 'db')}",
    CACHES={
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 2_000_000},
        }
    },
)
django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402 - after the settings
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from django.utils.crypto import get_random_string  # noqa: E402


def gate(request: HttpRequest) -> HttpResponse:
    """Say who this is."""
    user = request.user
    if not user.is_authenticated:
        return HttpResponse(status=401)
    groups = ",".join(user.groups.values_list("name", flat=True))
    return HttpResponse(
        status=204, headers={"Remote-User": str(user.pk), "Remote-Email": user.email, "Remote-Groups": groups}
    )


urlpatterns = [path("gate", gate)]
app = get_wsgi_application()


def seed(count: int) -> dict[str, list[str]]:
    """People in a group, a session for each, and its cookie."""
    call_command("migrate", verbosity=0)
    group = Group.objects.create(name="end-user")
    password = make_password("seven lanterns over a quiet harbour")
    emails = [f"person{number}@example.test" for number in range(count)]
    people = User.objects.bulk_create(User(username=email, email=email, password=password) for email in emails)
    held = User.groups.through
    held.objects.bulk_create(held(user_id=person.pk, group_id=group.pk) for person in people)
    rows, until = [], timezone.now() + timedelta(hours=20)
    for person in people:
        opened = SessionStore()
        facts = {
            SESSION_KEY: str(person.pk),
            BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
            HASH_SESSION_KEY: person.get_session_auth_hash(),
        }
        key = get_random_string(32)
        rows.append(Session(session_key=key, session_data=opened.encode(facts), expire_date=until))
    Session.objects.bulk_create(rows)
    cookies = [f"sessionid={row.session_key}" for row in rows]
    return {"db": cookies, "cached_db": cookies}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(seed(int(sys.argv[1]))))
