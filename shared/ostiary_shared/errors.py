"""What a flow raises when everything it did must be undone. The doors turn each into a page or a problem (RFC 9457)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field at fault and what to do about it, in a sentence the person can act on."""

    field: str
    message: str


class Failure(Exception):
    """Base of the failures a visitor may see. `status` is HTTP's, `code` is stable for machines."""

    status = 400
    code = "bad_request"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(Failure):
    """Input that cannot be used; names each field at fault."""

    status = 422
    code = "invalid_input"

    def __init__(self, *errors: FieldError, detail: str = "Some fields need another look.") -> None:
        super().__init__(detail)
        self.errors = errors


class Unauthenticated(Failure):
    """Who the asker is was not proved."""

    status = 401
    code = "wrong_credentials"


class Gone(Failure):
    """What was single-use has been used, or is too old."""

    status = 410
    code = "link_dead"


class Forbidden(Failure):
    """The asker is known well enough, and this is not for them."""

    status = 403
    code = "forbidden"

    def __init__(self, detail: str, code: str = "forbidden") -> None:
        super().__init__(detail)
        self.code = code


class NotFound(Failure):
    """There is no such thing, or it is not the asker's to see."""

    status = 404
    code = "not_found"


class Conflict(Failure):
    """The act contradicts what is there (a name in use, the last administrator)."""

    status = 409
    code = "conflict"


class TooMany(Failure):
    """A limit was reached; `retry_after` is in whole seconds."""

    status = 429
    code = "too_many_requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"That was too often. Please try again in {spoken(retry_after)}.")
        self.retry_after = retry_after


class Busy(Failure):
    """Something we need is overloaded or away; nothing was done and it is safe to try again."""

    status = 503
    code = "unavailable"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


def spoken(seconds: int) -> str:
    """A waiting time as a person says it; rounded up, never zero."""
    if seconds < 60:
        return "a moment" if seconds <= 1 else f"{seconds} seconds"
    minutes = -(-seconds // 60)
    if minutes < 60:
        return "a minute" if minutes == 1 else f"{minutes} minutes"
    hours = -(-minutes // 60)
    return "an hour" if hours == 1 else f"{hours} hours"


class Misconfigured(Exception):
    """No failure of a visitor's: the set-up is at fault. The text tells the operator what to write."""
