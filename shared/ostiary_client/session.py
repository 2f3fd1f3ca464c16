"""Who is this? One HTTP call to Ostiary's auth service. Needs aiohttp and nothing else of ours.

Whatever is not a clear yes or a clear no raises AuthUnavailable: a service that cannot ask lets nobody in.
"""

import json
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession

from ostiary_client.answers import (
    AuthUnavailable,
    Person,
    Refused,
    Session,
    SessionAnswer,
    SignedIn,
    asking,
    read_answer,
)
from ostiary_client.fetching import MAX_ANSWER

__all__ = [
    "AuthUnavailable",
    "Person",
    "Refused",
    "Session",
    "SessionAnswer",
    "SignedIn",
    "fetch_session",
    "read_object",
]


async def fetch_session(http: ClientSession, auth_url: str, token: str | None) -> SessionAnswer:
    """Ask auth whom `token` belongs to. Never cached here; `http` should have timeouts and no cookie jar.

    Raises AuthUnavailable when there is no clear answer.
    """
    try:
        async with http.get(f"{auth_url}/api/v1/session", headers=asking(token), allow_redirects=False) as response:
            status, body = response.status, await read_object(response)
    except (ClientError, TimeoutError, OSError) as error:
        raise AuthUnavailable(f"no answer: {type(error).__name__}") from error
    except ValueError as error:
        raise AuthUnavailable("not an answer we know") from error
    return read_answer(status, body)


async def read_object(response: ClientResponse) -> dict[str, Any]:
    """The JSON object of an answer; raises ValueError for anything else, and for more than 256 KiB."""
    raw = await response.content.read(MAX_ANSWER)
    while raw and len(raw) < MAX_ANSWER and (more := await response.content.read(MAX_ANSWER - len(raw))):
        raw += more
    found = json.loads(raw)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - like any other text that is no answer
    return found
