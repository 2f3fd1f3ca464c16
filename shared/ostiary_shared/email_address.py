"""What may be an e-mail address, and how it is written down. Self-hosters use .local and .test: those are fine."""

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from ostiary_shared.errors import FieldError, Invalid

MAX_LENGTH = 254
# The library's documented way to allow the names that home and company networks use.
SPECIAL_USE_DOMAIN_NAMES.clear()
_AMBIGUOUS = frozenset(',;<>"()[]\\')


def parse(typed: str, field: str = "email") -> str:
    """The address as it is kept: trimmed, one recipient, domain in lower case. Raises Invalid naming the field.

    Quoted local parts and address literals are refused: mail programs disagree on what they mean.
    """
    candidate = typed.strip()
    try:
        if len(candidate) > MAX_LENGTH or not _AMBIGUOUS.isdisjoint(candidate) or not candidate.isprintable():
            raise EmailNotValidError
        found = validate_email(candidate, check_deliverability=False, globally_deliverable=False)
        if "." not in found.domain and found.domain != "localhost":
            raise EmailNotValidError
    except EmailNotValidError:
        raise Invalid(FieldError(field, "Please enter one e-mail address, such as ada@example.org.")) from None
    return found.normalized


def as_mailed(email: str) -> tuple[str, str]:
    """Local part and domain as SMTP wants them: the domain in ASCII (IDNA 2008). Raises Invalid unless one address."""
    known = validate_email(parse(email), check_deliverability=False, test_environment=True)
    return known.local_part, known.ascii_domain
