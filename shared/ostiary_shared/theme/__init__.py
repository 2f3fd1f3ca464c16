"""One design system for pages and mail: where its templates and static files are, and the hashed names they go by.

Who serves the files, and below which URL, is the business of each service: this room knows no web framework.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

THEME_DIR = Path(__file__).resolve().parent
TEMPLATES = THEME_DIR / "templates"
STATIC = THEME_DIR / "static"

_DIGITS = 8


@cache
def asset_name(name: str) -> str:
    """Name that changes with the content, so that it may be cached for ever: `base.css` becomes `base.1a2b3c4d.css`.

    Raises KeyError when the theme has no such file.
    """
    path = _files().get(name)
    if path is None:
        raise KeyError(name)
    digest = sha256(path.read_bytes()).hexdigest()[:_DIGITS]
    return f"{path.stem}.{digest}{path.suffix}"


def resolve_asset(hashed: str) -> Path | None:
    """Find the file behind a name made by `asset_name`; any other name is None and never looked up on disk."""
    return _hashed_files().get(hashed)


@cache
def _files() -> dict[str, Path]:
    return {path.name: path for path in STATIC.iterdir() if path.is_file()}


@cache
def _hashed_files() -> dict[str, Path]:
    return {asset_name(name): path for name, path in _files().items()}
