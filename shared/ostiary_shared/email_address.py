"""What may be an e-mail address, and how it is written down. Self-hosters use .local and .test: those are fine."""

from email_validator import EmailNotValidError, validate_email

from ostiary_shared.errors import FieldError, Invalid

MAX_LENGTH = 254


def parse(typed: str, field: str = "email") -> str:
    """The address as it is kept: trimmed, one recipient, domain in lower case. Raises Invalid naming the field.

    Quoted local parts and address literals are refused: mail programs disagree on what they mean.
    """
    candidate = typed.strip()
    if not 3 <= len(candidate) <= MAX_LENGTH or any(mark in candidate for mark in ",;<>\"()[]\\") or not candidate.isprintable():
        raise Invalid(FieldError(field, "Please enter one e-mail address, such as ada@example.org."))
    try:
        return validate_email(
            candidate, check_deliverability=False, test_environment=True, allow_display_name=False
        ).normalized
    except EmailNotValidError:
        raise Invalid(FieldError(field, "Please enter one e-mail address, such as ada@example.org.")) from None
