"""Addresses that lead astray, and how various backends may read them."""

import re
from urllib.parse import unquote

TRAVERSALS = [
    "/public/../editor/x",
    "/public/./../editor/x",
    "/public/..",
    "/public/.",
    "/public//../editor/x",
    "//editor/x",
    "/public//editor",
    "///editor/x",
    "/public/%2e%2e/editor/x",
    "/public/%2E%2E/editor/x",
    "/public/.%2e/editor/x",
    "/public/%2e./editor/x",
    "/public/..%2feditor/x",
    "/public/..%2Feditor/x",
    "/public%2f..%2feditor%2fx",
    "/public/..%5ceditor/x",
    "/public\\..\\editor\\x",
    "/public/..\\editor/x",
    "/public%5c..%5ceditor",
    "\\editor\\x",
    "/public/%252e%252e/editor/x",
    "/public/..%252feditor/x",
    "/%25%32%65%25%32%65/editor/x",
    "/public/..;/editor/x",
    "/public;/../editor/x",
    "/public;x=1/..;y=2/editor/x",
    "/..;/editor/x",
    "/public/%3b/../editor",
    "/public/..%3b/editor/x",
    "/public/..%00/editor/x",
    "/public%00/../editor/x",
    "/public/%0a../editor/x",
    "/public/%0d%0a/editor",
    "/public/%7f/../editor/x",
    "/%65ditor/x",
    "/e%64itor/x",
    "/%45ditor/x",
    "/editor%2fx",
    "/public/../%65ditor/x",
    "/public/..%c0%afeditor/x",
    "/public/%c0%ae%c0%ae/editor/x",
    "/public/%e0%80%ae%e0%80%ae/editor/x",
    "/public/%uff0e%uff0e/editor/x",
    "/public/%ff/../editor",
    "/public/%u002e%u002e/editor/x",
    "/public/..%ef%bc%8feditor/x",
    "/public/\u2025/editor/x",
    "/public/../editor/x?y=/public/",
    "/public/../editor/x#/public/",
    "/editor/x#/../public/",
    "/editor/x?/../public/",
    "/editor/../public/x",
    "/editor/./x",
    "/./public/x",
    "/../editor/x",
    "/../../editor/x",
    "/public/../../editor/x",
    "/public/x/../../editor/x",
    "/public/...//editor",
    "/.%2e/editor/x",
    "/public/..%09/editor/x",
    "/public/ /../editor/x",
    "/public/%20/../editor/x",
    "/public/%2",
    "/public/%zz/../editor",
    "/public/%2e",
    "/public/%2e%2e",
    "/public/%2e%2e/",
    "/publiceditor",
    "/public.editor",
    "/publi%63/../editor/x",
    "/EDITOR/x",
    "public/x",
    "editor/x",
    "*",
    "/public/?../editor",
    "/public/%3f/../editor/x",
    "/public/%23/../editor/x",
    "/public/~/../editor/x",
    "/public/\t/editor",
    "/public/+/../editor/x",
    "/public/:/../editor",
    "/public/@/../editor",
    "/public/a/b/c/../../../../editor/x",
]


def readings(target: str) -> set[str]:
    """What backends may serve for a target: decoded not at all, once or twice, with and without their habits."""
    path = target.partition("?")[0].partition("#")[0]
    found = set()
    for decoded in (path, unquote(path, "latin-1"), unquote(unquote(path, "latin-1"), "latin-1")):
        for plain in (decoded, re.sub(r";[^/]*", "", decoded)):
            for slashed in (plain, plain.replace("\\", "/")):
                for cut in (slashed, slashed.partition("\0")[0]):
                    found |= {resolved(cut), resolved(cut.lower())}
    return found


def resolved(path: str) -> str:
    kept: list[str] = []
    for part in path.split("/"):
        kept = kept[:-1] if part == ".." else [*kept, *([part] if part not in {"", "."} else [])]
    return "/" + "/".join(kept)
