"""What may be an address: one recipient, never a header, never two."""

import pytest

from ostiary_shared.email_address import parse
from ostiary_shared.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" ada@example.org ", "ada@example.org"),
        ("Ada@EXAMPLE.org", "Ada@example.org"),
        ("a@corp.local", "a@corp.local"),
        ("a+b@x.test", "a+b@x.test"),
        ("grün@exämple.org", "grün@exämple.org"),
    ],
)
def test_addresses_of_real_people_are_kept(typed: str, kept: str) -> None:
    assert parse(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a",
        "ada",
        "ada@",
        "@example.org",
        "a@b.example,evil@x.example",
        "a@b.example;c@d.example",
        "a b@example.org",
        "a@example.org\r\nBcc: x@y.example",
        "a@example.org\x00",
        '"a b"@example.org',
        "<a@example.org>",
        "Ada <a@example.org>",
        "a@[127.0.0.1]",
        "a@@b.example",
        "a@b.example" + "x" * 300,
        "a@exam\u200bple.org",
        "a@-b.example",
        "a(c)@b.example",
    ],
)
def test_everything_else_is_refused_in_words(typed: str) -> None:
    with pytest.raises(Invalid) as raised:
        parse(typed, "new_email")
    assert raised.value.errors[0].field == "new_email"
