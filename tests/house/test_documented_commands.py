"""No document shows a command, an option or a service that is not there."""

import itertools
import re
import shlex
import subprocess

import click
import pytest
import yaml

from ostiary.cli import group
from tests import documents
from tests.house import tree

OURS = re.compile(r"(?:^|[\s;(=])(?:/opt/ostiary/|\./)ostiary (?P<rest>[a-z][^|;)\n]*)")
COMPOSE = re.compile(r"docker compose (?P<rest>[^|;)\n]*)")
TAKES_VALUE = {"--profile", "--scale", "-f", "--file", "-p", "--project-name", "--timeout", "-t"}
SHELL = ("sh", "sh containers", "sh example", "sh cluster", "sh kubernetes", "sh release", "")


def _words(rest: str) -> list[str]:
    try:
        words = shlex.split(rest, comments=True)
    except ValueError:  # a quotation that goes on in the next line
        words = rest.split()
    ends = [
        number for number, word in enumerate(words) if word in {"&&", "||", "&"} or word.startswith((">", "<", "2>"))
    ]
    return words[: ends[0]] if ends else words


def _objection(words: list[str]) -> str:
    """Why this is none of our commands; empty when it is one."""
    command: click.Command = group
    while isinstance(command, click.Group) and words and words[0] != "--help":
        context = click.Context(command, info_name="ostiary", resilient_parsing=True)
        command.parse_args(context, list(words))  # a group may put a word in front that goes without saying
        words = [*context._protected_args, *context.args]
        found = command.get_command(context, words[0]) if words else None
        if found is None:
            return f"there is no command {words[0]}" if words else ""
        command, words = found, words[1:]
    known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known | {"--help"}]
    return f"{command.name} has no {unknown[0]}" if unknown else ""


def _shown(pattern: re.Pattern[str], page: str) -> list[str]:
    """What stands in the blocks of a page and, of our own commands, in its sentences."""
    text = (tree.ROOT / page).read_text(encoding="utf-8")
    inline = re.findall(r"`([^`\n]+)`", documents.FENCE.sub("", text)) if pattern is OURS else []
    fenced = [line for block in documents.blocks(page) if block.kind in SHELL for line in block.commands]
    return [found["rest"] for line in (*inline, *fenced) for found in pattern.finditer(line)]


def test_commands_and_options_are_there() -> None:
    wrong, seen = [], 0
    for page in documents.pages():
        for rest in _shown(OURS, page):
            seen += 1
            objection = _objection(_words(rest))
            wrong += [f"{page}: ostiary {rest}: {objection}"] if objection else []
    assert wrong == []
    assert seen > 60


def test_what_compose_is_asked_for_is_there() -> None:
    composed = yaml.safe_load((tree.ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services = composed["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", ())}
    wrong = []
    for page in documents.pages():
        for rest in _shown(COMPOSE, page):
            words = _words(rest)
            asked = {after for word, after in itertools.pairwise(words) if word == "--profile"}
            wrong += [f"{page}: no profile {profile}" for profile in asked - profiles]
            wrong += [f"{page}: {objection}" for objection in _of_service(words, services)]
    assert wrong == []


def _of_service(words: list[str], services: dict[str, object]) -> list[str]:
    plain = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in TAKES_VALUE
    ]
    if len(plain) < 2 or plain[0] not in {"run", "exec", "up", "logs", "restart", "stop", "kill"}:
        return []
    named = plain[1:2] if plain[0] in {"run", "exec"} else plain[1:]
    missing = [f"no service {name}" for name in named if name not in services and name.isalpha()]
    if plain[0] == "run" and plain[1] == "operator" and len(plain) > 2:
        objection = _objection(words[words.index("operator") + 1 :])
        missing += [objection] if objection else []
    return missing


@pytest.mark.parametrize("page", [page for page in documents.pages() if page.startswith("docs/operating/")])
def test_what_a_shell_is_shown_it_can_read(page: str) -> None:
    for block in documents.blocks(page):
        if block.kind.startswith("sh"):
            done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{block.text}\n{done.stderr}"


def test_a_wrong_command_would_be_found() -> None:
    assert _objection(["dokter"]) == "there is no command dokter"
    assert _objection(["users", "lst"]) == "there is no command lst"
    assert _objection(["backup", "x", "--kep", "3"]) == "take has no --kep"
    assert _objection(["users", "list", "--json"]) == ""
