"""The documents speak of what there is: commands, settings, files and links all exist."""

import ast
import re
import textwrap
from pathlib import Path

import pytest

from ostiary.cli import COMMANDS
from ostiary_admin.settings import AdminSettings
from ostiary_auth.settings import AuthSettings
from tests.house import tree

DOCUMENTS = {tree.name(path): text for path, text in tree.texts().items() if path.suffix == ".md"}
TOP = {path.name for path in tree.ROOT.iterdir()}
# Read before there are settings (the front door), or by the tests alone.
OTHER_VARIABLES = {"OSTIARY_VENV", "OSTIARY_REQUIRE", "OSTIARY_PICTURES"}
# Read by docker-compose.yml; tests/house/test_compose.py compares the two.
COMPOSED = set(re.findall(r"^#?(OSTIARY_\w+)=", (tree.ROOT / "deploy/env.example").read_text(), flags=re.MULTILINE))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|<(?:img|source)[^>]*?(?:src|srcset)=\"([^\"]+)\"")
MADE_WHEN_RUN = (".venv", ".ostiary")


def prose(text: str) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The addresses of the headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", prose(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_somewhere(document: str) -> None:
    broken = []
    for found in LINK.finditer(prose(DOCUMENTS[document])):
        target = found[1] or found[2]
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        path = ((tree.ROOT / document).parent / file).resolve() if file else tree.ROOT / document
        if not path.exists() or (anchor and anchor not in anchors(path.read_text())):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_exists(document: str) -> None:
    named = set(re.findall(r"\./ostiary ([a-z][a-z-]*)", DOCUMENTS[document]))
    assert named - set(COMMANDS) == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_exists(document: str) -> None:
    known = {f"OSTIARY_{name.upper()}" for model in (AuthSettings, AdminSettings) for name in model.model_fields}
    known |= {f"{name}_FILE" for name in known} | COMPOSED | OTHER_VARIABLES
    assert set(re.findall(r"\bOSTIARY_[A-Z0-9_]*[A-Z0-9]\b", DOCUMENTS[document])) - known == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    named = {word.rstrip("/") for word in re.findall(r"`([\w.-]+/[\w./-]*)`", DOCUMENTS[document])}
    ours = {word for word in named if word.split("/")[0] in TOP and not word.startswith(MADE_WHEN_RUN)}
    assert sorted(word for word in ours if not (tree.ROOT / word).exists()) == []


def test_the_documents_that_people_look_for_are_there() -> None:
    wanted = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs/architecture.md")
    assert [name for name in wanted if not Path(tree.ROOT, name).is_file()] == []


def test_every_step_of_a_decision_is_explained() -> None:
    source = (tree.PACKAGES["ostiary_shared"] / "access.py").read_text()
    asked = {re.sub(r"\{.*?\} ", "", title) for title in re.findall(r'"([A-Z][^"]+\?)"', source)}
    table = DOCUMENTS["docs/troubleshooting-unauthorized.md"]
    assert asked == set(re.findall(r"^\| ([A-Z][^|]+\?) \|", table, flags=re.MULTILINE))


@pytest.mark.parametrize("document", [name for name, text in DOCUMENTS.items() if "```python" in text])
def test_python_in_a_document_is_python_and_its_imports_work(document: str) -> None:
    for block in re.findall(r"^( *)```python\n(.*?)^\1```", DOCUMENTS[document], flags=re.MULTILINE | re.DOTALL):
        code = textwrap.dedent(block[1])
        ast.parse(code)
        exec("\n".join(line for line in code.splitlines() if line.startswith(("from ", "import "))), {})
