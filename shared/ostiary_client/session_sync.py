"""The twin of `fetch_session` for Flask, Django and scripts: the standard library alone, one connection a call."""

import json

from ostiary_client.answers import AuthUnavailable, SessionAnswer, asking, read_answer
from ostiary_client.fetching import NoAnswer, get


def fetch_session_sync(auth_url: str, token: str | None, *, seconds: float = 1.5) -> SessionAnswer:
    """Ask auth whom `token` belongs to, for about `seconds` at most; raises AuthUnavailable without a clear answer."""
    try:
        status, raw = get(f"{auth_url}/api/v1/session", asking(token), seconds)
        body = json.loads(raw)
    except NoAnswer as error:
        raise AuthUnavailable(f"no answer: {error}") from error
    except (ValueError, RecursionError) as error:
        raise AuthUnavailable("not an answer we know") from error
    return read_answer(status, body)
