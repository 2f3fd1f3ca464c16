"""Settings stop the start with a sentence, and never with a secret in it."""

from pathlib import Path

import pytest

from ostiary_shared.settings import Settings, SettingsError

GOOD = {
    "OSTIARY_PUBLIC_URL": "https://login.example.org/",
    "OSTIARY_DATABASE_URL": "postgresql://u:p@h/d",
    "OSTIARY_SECRET_KEY": "0123456789abcdefghijklmnopqrstuv",
    "OSTIARY_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
}


def test_settings_are_read_once_and_frozen() -> None:
    settings = Settings.load(GOOD)
    assert settings.public_url == "https://login.example.org"
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert settings.secure
    with pytest.raises(ValueError, match="frozen"):
        settings.site_name = "x"


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("x9-another-key-of-the-service-0123\n")
    given = {**GOOD, "OSTIARY_SECRET_KEY_FILE": str(file)}
    del given["OSTIARY_SECRET_KEY"]
    assert Settings.load(given).secrets == ("x9-another-key-of-the-service-0123",)


def test_several_keys_are_lines_of_a_file_or_words_of_a_variable(tmp_path: Path) -> None:
    one, two = "0123456789abcdefghijklmnopqrstuv", "and one with spaces, as some had: x9 47"
    file = tmp_path / "keys"
    file.write_text(f"# 01234567 waits since then\n{two}\r\n\n{one}\n")
    given = {name: value for name, value in GOOD.items() if name != "OSTIARY_SECRET_KEY"}
    assert Settings.load({**given, "OSTIARY_SECRET_KEY_FILE": str(file)}).secrets == (two, one)
    spaced = {**given, "OSTIARY_SECRET_KEY": f"{one}  x{one[1:]}"}
    assert Settings.load(spaced).secrets == (one, "x" + one[1:])


def test_a_file_of_another_kind_is_told_from_keys(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"\xff\xfe" + b"0123456789abcdef" * 4)
    with pytest.raises(SettingsError, match=r"OSTIARY_SECRET_KEY_FILE names .* not text"):
        Settings.load({**GOOD, "OSTIARY_SECRET_KEY_FILE": str(file)})
    file.write_text("# nothing\n\n")
    with pytest.raises(SettingsError, match="OSTIARY_SECRET_KEY cannot be used: must hold a key"):
        Settings.load({**GOOD, "OSTIARY_SECRET_KEY_FILE": str(file)})


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("PUBLIC_URL", "", "is not set"),
        ("PUBLIC_URL", "login.example.org", "must be an address"),
        ("PUBLIC_URL", "https://x/path", "without a path"),
        ("SECRET_KEY", "short", "at least 32 random characters"),
        ("SECRET_KEY", "changeme-changeme-changeme-changeme", "random"),
        ("SECRET_KEY", "a" * 40, "random"),
        ("SECRET_KEY", "0123456789" * 4, "random"),
        ("SECRET_KEY", "0123456789abcdefghijklmnopqrstuv short", "key 2 of 2 must be at least 32"),
        ("SECRET_KEY", "0123456789abcdefghijklmnopqrstuv 0123456789abcdefghijklmnopqrstuv", "the same key twice"),
        ("SECRET_KEY", "a key with spaces in it of 38 letters!", "one with spaces in it goes into a file"),
        ("SITE_NAME", "Ours\r\nBcc: x@y.example", "single line"),
        ("PUBLIC_URL", "https://user:pass@login.example.org", "must be an address"),
        ("PUBLIC_URL", "https://login.example.org#x", "must be an address"),
        ("TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0", "everybody"),
        ("TRUSTED_PROXIES", "proxy", "does not appear to be"),
        ("SECRET_KEY_FILE", "/nowhere/key", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(variable: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as raised:
        Settings.load({**GOOD, f"OSTIARY_{variable}": value})
    assert f"OSTIARY_{variable}" in str(raised.value)
    assert (
        value == "" or len(value) < 6 or variable.endswith(("FILE", "PROXIES", "URL")) or value not in str(raised.value)
    )
