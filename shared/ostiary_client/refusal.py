"""A refusal as an exception, and as the answer (RFC 9457) that the middleware makes of it in any framework."""

import json

TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="ostiary"'
RETRY_SECONDS = "2"


class Refusal(Exception):
    """Raise it in a view, or let a guard do so: the middleware answers with a problem document."""

    def __init__(self, status: int, code: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.problem = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}

    @property
    def body(self) -> bytes:
        """The problem document."""
        return json.dumps(self.problem).encode()

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it."""
        more = {401: {"WWW-Authenticate": CHALLENGE}, 503: {"Retry-After": RETRY_SECONDS}}.get(self.status, {})
        return {"Content-Type": TYPE, "Content-Length": str(len(self.body)), "Cache-Control": "no-store", **more}


def unknown(sign_in: str = "") -> Refusal:
    """401: nobody, or nobody whom we can tell. `sign_in` is where that can be changed."""
    refusal = Refusal(401, "unauthenticated", "Who are you?", "Sign in first.")
    if sign_in:
        refusal.problem["sign_in"] = sign_in
    return refusal


def forbidden() -> Refusal:
    """403: somebody known who may not do this."""
    return Refusal(403, "forbidden", "Refused", "Your roles do not allow this.")


def unsure() -> Refusal:
    """503: Ostiary's keys are out of reach, so whoever this is cannot be checked."""
    return Refusal(503, "unavailable", "One moment, please", "It cannot be checked who you are. Please try again.")
