"""OSTIARY_SMTP_URL: what each form means, and that a password never travels in the clear."""

import pytest
from pydantic import SecretStr

from ostiary_auth.mail.server import Server, Tls, read
from ostiary_auth.settings import AuthSettings
from ostiary_shared.settings import SettingsError


def _read(settings: AuthSettings, url: str) -> Server:
    return read(settings.model_copy(update={"smtp_url": SecretStr(url)}))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://localhost:1025", Server("localhost", 1025, Tls.NEVER)),
        ("smtp://127.0.0.1", Server("127.0.0.1", 25, Tls.NEVER)),
        ("smtp://mail.example.org", Server("mail.example.org", 25, Tls.AUTO)),
        ("smtp://mail.example.org?starttls=never", Server("mail.example.org", 25, Tls.NEVER)),
        ("smtp://localhost?starttls=auto", Server("localhost", 25, Tls.AUTO)),
        ("smtp://mail.example.org?starttls=required", Server("mail.example.org", 25, Tls.REQUIRED)),
        ("smtp://u%40x:p%2Fw@mail.example.org", Server("mail.example.org", 587, Tls.REQUIRED, "u@x", "p/w")),
        ("smtp://u:p@localhost:2525", Server("localhost", 2525, Tls.REQUIRED, "u", "p")),
        ("smtps://u:p@mail.example.org", Server("mail.example.org", 465, Tls.AT_ONCE, "u", "p")),
    ],
)
def test_each_form_of_the_address_means_one_thing(auth_settings: AuthSettings, url: str, expected: Server) -> None:
    assert _read(auth_settings, url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "smtp://u:p@mail.example.org?starttls=never",
        "smtp://u:p@localhost?starttls=auto",
        "smtp://mail.example.org?tls=1",
        "smtp://mail.example.org?starttls=sometimes",
        "smtps://mail.example.org?starttls=never",
        "smtp://mail.example.org:99999",
    ],
)
def test_an_address_that_contradicts_itself_stops_the_start(auth_settings: AuthSettings, url: str) -> None:
    with pytest.raises(SettingsError, match="OSTIARY_SMTP_URL"):
        _read(auth_settings, url)


def test_a_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Server("h", 25, Tls.REQUIRED, "u", "hunter2"))
