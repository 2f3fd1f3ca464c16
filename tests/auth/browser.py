"""A visitor at the doors of the auth service: pages and JSON, with one cookie jar."""

import html
import re
from typing import Any

from quart import Response, typing

from tests.auth.people import ADA, PASSWORD

# Not by its own name: pytest would take it for a test.
Client = typing.TestClientProtocol


async def sign_in(client: Client, email: str = ADA, password: str = PASSWORD, **more: Any) -> Response:
    """The sign-in form, sent."""
    return await client.post("/login", form={"email": email, "password": password, **more})


async def body(answer: Any) -> str:
    """The text of a page or a JSON answer."""
    return html.unescape((await answer.get_data()).decode())


async def words(answer: Any) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", (await body(answer)).partition("<main")[2]).split())


def cookies(answer: Any) -> dict[str, str]:
    """The cookies an answer sets, by name, with all their attributes."""
    return {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
