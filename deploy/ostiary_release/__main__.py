"""`python -m ostiary_release DIR` makes the files of a release from a commit; `--check DIR` verifies them."""

import argparse
import sys
from pathlib import Path

from ostiary_release import sums

FINDING = 1


def main() -> None:
    """Exit status 0 fine, 1 a finding, 2 wrong usage."""
    parser = argparse.ArgumentParser("python -m ostiary_release", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="Where the files are to be, or are.")
    parser.add_argument("--check", action="store_true", help="Compare the files in DIR with their list of hashes.")
    parser.add_argument(
        "--commit", default="HEAD", help="What is released: a commit, a tag; the last commit if not said."
    )
    asked = parser.parse_args()
    if asked.check:
        _check(asked.folder, parser)
    else:
        _make(asked.folder, asked.commit, parser)


def _check(folder: Path, parser: argparse.ArgumentParser) -> None:
    if not (folder / sums.LIST).is_file():
        parser.error(f"{folder} has no {sums.LIST}; name the folder with the files of a release.")
    found = sums.faults(folder)
    print("\n".join(found) or f"All files in {folder} are as {sums.LIST} says.")
    sys.exit(FINDING if found else 0)


def _make(folder: Path, revision: str, parser: argparse.ArgumentParser) -> None:
    from ostiary_release import parts, wheels  # noqa: PLC0415 - checking needs nothing but the standard library

    if folder.exists() and any(folder.iterdir()):
        parser.error(f"{folder} is not empty; name a new folder.")
    try:
        commit = wheels.commit_of(revision)
    except LookupError:
        parser.error(f"git knows no commit {revision}.")
    folder.mkdir(parents=True, exist_ok=True)
    if commit.changed:
        print(f"What is not committed is left out: {', '.join(commit.changed)}", file=sys.stderr)
    lock = wheels.build(commit, folder)
    parts.write(commit, lock, folder)
    sums.write(folder)
    print((folder / sums.LIST).read_text(), end="")


if __name__ == "__main__":
    main()
