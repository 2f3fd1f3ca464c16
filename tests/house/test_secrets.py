"""Every secret is on the list in docs/operating/rotate.md, comes as a file, and is shown by nothing that prints."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import SecretStr

from ostiary_admin.settings import AdminSettings
from ostiary_auth.settings import AuthSettings
from ostiary_shared.settings import Settings
from tests.house.tree import ROOT

PAGE = (ROOT / "docs/operating/rotate.md").read_text()
ROOMS = ("shared", "services", "deploy")
GOOD = {
    "public_url": "https://login.example.org",
    "database_url": "postgresql://ostiary_auth:b2f7c1@db/ostiary",
    "secret_key": "0b8d6f4e2c1a9735e8d0c2b4a6f81937",
    "smtp_url": "smtp://user:9f3e7d@mail.example.org:25",
    "mail_from": "Ostiary <door@example.org>",
    "auth_url": "http://auth:8000",
}
SERVICES: tuple[type[Settings], ...] = (AuthSettings, AdminSettings)


def secret_settings(service: type[Settings]) -> list[str]:
    kinds = {name: info.annotation for name, info in service.model_fields.items()}
    return [name for name, kind in kinds.items() if kind is SecretStr or SecretStr in get_args(kind)]


def purposes() -> set[str]:
    """What keys are derived for, anywhere."""
    found = set()
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and len(node.args) == 2 and ast.unparse(node.func).endswith("derive"):
                found.add(ast.literal_eval(node.args[1]))
    return found


def test_every_secret_is_on_the_list() -> None:
    inventory = PAGE.partition("## What the secret key is used for")[0]
    missing = [
        name for kind in SERVICES for name in secret_settings(kind) if f"`OSTIARY_{name.upper()}`" not in inventory
    ]
    assert missing == []
    assert {*secret_settings(AuthSettings)} == {"database_url", "secret_key", "smtp_url"}


def test_every_purpose_of_the_secret_key_is_on_the_list_and_no_other() -> None:
    uses = PAGE.partition("## What the secret key is used for")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z -]+)` \|", uses, re.MULTILINE)) == purposes()


@pytest.mark.parametrize("service", SERVICES)
def test_every_secret_comes_as_a_file_and_is_printed_by_nothing(service: type[Settings], tmp_path: Path) -> None:
    told = {f"OSTIARY_{name.upper()}": value for name, value in GOOD.items() if name in service.model_fields}
    for name in secret_settings(service):
        variable = f"OSTIARY_{name.upper()}"
        (tmp_path / name).write_text(told.pop(variable) + "\n")
        told[variable + "_FILE"] = str(tmp_path / name)
    settings = service.load(told)
    assert settings.secrets == (GOOD["secret_key"],)
    assert settings.database_url.get_secret_value() == GOOD["database_url"]
    for part in ("b2f7c1", GOOD["secret_key"], "9f3e7d"):
        assert part not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
        assert part not in str(told)
