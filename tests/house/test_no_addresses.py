"""The repository knows no machine but the reader's: no index or mirror, no path of ours, no credential, no diary."""

import re

import pytest

from tests.house import tree

# Each has a letter in brackets, so that this file does not find itself.
FORBIDDEN = {
    "a package index or mirror": r"p[y]pi\.|pythonh[o]sted|c[o]nda\.|devp[i]|art[i]factory|n[e]xus\."
    r"|npm[j]s\.|gh[c]r\.io|qu[a]y\.|--(?:extra-)?index-[u]rl|--find-[l]inks|--trusted-[h]ost",
    "a path on somebody's machine": r"(?<![\w.$}/*])/(?:r[o]ot|h[o]me|U[s]ers|w[o]rk|w[o]rkspace)/\w",
    "a private key": r"BEGIN [A-Z ]*PRIVATE [K]EY",
    "a token of a known service": r"\b(?:gh[opsu]_|glpat-|xox[abp]-|AKI[A])[A-Za-z0-9_-]{16,}",
    "how the project was made": r"(?i)\b(?:cl[a]ude|anthr[o]pic|chat[g]pt|open[a]i|co-?p[i]lot|l[l]m"
    r"|language m[o]del|sub-?a[g]ents?|helper s[e]ssion|generated w[i]th|co-auth[o]red-by)\b",
}
LOCKS = tuple(tree.name(path) for path in tree.tracked() if path.suffix == ".lock")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_mentions(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{tree.name(path)}:{number}: {line.strip()[:100]}"
        for path, text in tree.texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line) and not (tree.name(path) in LOCKS and "--hash=" in line)
    ]
    assert found == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_place(lock: str) -> None:
    text = (tree.ROOT / lock).read_text()
    assert "://" not in text
    assert " @ " not in text
    pins = re.split(r"\n(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    assert len(pins) > 5
    for pin in pins:
        assert re.match(r"[a-z0-9._-]+(\[[a-z,]+\])?==[^ ]+ ", pin), pin[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", pin), pin[:80]


def test_the_lock_covers_what_is_asked_for() -> None:
    for folder in ("", "tests/"):
        asked = re.findall(
            r"^([A-Za-z0-9][A-Za-z0-9._-]*)", (tree.ROOT / f"{folder}requirements.in").read_text(), flags=re.MULTILINE
        )
        pinned = set(
            re.findall(r"^([a-z0-9._-]+)", (tree.ROOT / f"{folder}requirements.lock").read_text(), flags=re.MULTILINE)
        )
        assert {re.sub(r"[-_.]+", "-", name.lower()) for name in asked} <= pinned


def test_only_source_is_kept() -> None:
    """No data and nothing large but the screenshots of the tour; nothing built but the releases we upgrade from."""
    allowed = {
        ".py",
        ".pyi",
        ".html",
        ".txt",
        ".css",
        ".js",
        ".svg",
        ".md",
        ".toml",
        ".sql",
        ".lua",
        ".cfg",
        ".mako",
        ".in",
        ".lock",
        ".typed",
        ".json",
    }
    named = {"ostiary", ".ci/run", ".gitignore", ".dockerignore"}
    configuration = {".conf", ".yml", ".yaml", ".example", ".caddy"}
    odd = [
        tree.name(path)
        for path in tree.tracked()
        if path.suffix not in allowed | configuration
        and tree.name(path) not in named
        and path.name not in {"Caddyfile", "Dockerfile", "LICENSE"}
        and not tree.name(path).startswith(("docs/images/", "tests/releases/"))
    ]
    assert odd == []
