"""The middleware in Django's own form, for both its servers and its test client. Needs Django.

In the settings: `OSTIARY = Trust(…)`, and `"ostiary_client.django.DjangoMiddleware"` first in `MIDDLEWARE`.
"""

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse

from ostiary_client.identity import Identity, answering
from ostiary_client.refusal import Refusal
from ostiary_client.trust import Trust
from ostiary_client.verifier import SyncVerifier
from ostiary_client.wsgi import admitted


class DjangoMiddleware:
    """Lets requests pass as WsgiMiddleware does; a view finds the Identity, or None, at `request.ostiary`, too."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        trust = getattr(settings, "OSTIARY", None)
        if not isinstance(trust, Trust):
            raise ImproperlyConfigured('write OSTIARY = Trust(issuer="https://…", audience="…") into the settings')
        self._trust = trust
        self._next = get_response
        self._verifier = SyncVerifier(trust)
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        """The answer, or on an event loop the promise of it."""
        if iscoroutinefunction(self):
            return self._on_a_loop(request)
        try:
            who = self._admitted(request)
        except Refusal as refusal:
            return _answer(refusal)
        with answering(who):
            return self._next(request)

    async def _on_a_loop(self, request: HttpRequest) -> Any:
        try:  # in a thread, because keys may have to be fetched
            who = await sync_to_async(self._admitted, thread_sensitive=False)(request)
        except Refusal as refusal:
            return _answer(refusal)
        with answering(who):
            return await self._next(request)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        """What a guard raised is an answer; anything else is Django's affair."""
        return _answer(error) if isinstance(error, Refusal) else None

    def _admitted(self, request: HttpRequest) -> Identity | None:
        who = admitted(request.META, self._verifier, self._trust)
        request.__dict__.pop("headers", None)  # what was read of META before us
        request.ostiary = who
        return who


def _answer(refusal: Refusal) -> HttpResponse:
    return HttpResponse(refusal.body, status=refusal.status, headers=refusal.headers)
