"""What a page says when the link or code from a mail is no good."""

from typing import Any

from ostiary_shared.web.forms import Form

WRONG_CODE = "This code is not right. Check it, or ask for a new mail."


def turn_down(sent: Form[Any], dead: str) -> None:
    """Say what is wrong with a proof: a code can be typed again, a link cannot, and makes room for the code."""
    if sent.values.pop("token", ""):
        sent.errors[""] = dead
    else:
        sent.errors["code"] = WRONG_CODE
