"""The commands that the documents show, block by block."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.house import tree

FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: `sh` is run by the tests; a second word says what it needs that a test may not have."""

    page: str
    kind: str
    text: str

    @property
    def commands(self) -> list[str]:
        """One command a line: continued lines joined, comments and what is piped on cut off."""
        joined = re.sub(r"\\\n\s*", " ", self.text)
        return [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def pages() -> list[str]:
    """All documents, the shortest way to name them."""
    return [tree.name(path) for path in tree.tracked() if path.suffix == ".md" and "CHANGELOG" not in path.name]


def blocks(page: str) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = (tree.ROOT / page).read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        yield Block(page, found["kind"].strip(), found["text"])
